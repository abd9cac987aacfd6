"""A deployment that never becomes ready: traffic moves, while the service as a whole does not settle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core import exceptions

from tests.sandbox.cloud_run_clients import BAD, GOOD, Clients, checkout, served, to

BROKEN = "checkout-00009-broken"


@pytest.fixture
def cloud() -> Iterator[Clients]:
    with served(checkout()) as clients:
        yield clients


def settled(cloud: Clients) -> bool:
    service = cloud.read()
    return not service.reconciling and service.generation == service.observed_generation


def test_what_served_goes_on_and_the_service_does_not_settle(cloud: Clients) -> None:
    cloud.world.deploy_broken("checkout", {"name": BROKEN, "image": 9})

    assert cloud.serving() == {(BAD, 100, "")}
    assert not settled(cloud)
    assert BROKEN in cloud.read().terminal_condition.message


@pytest.mark.parametrize("fails", [True, False])
def test_what_is_written_takes_effect_also_where_its_operation_ends_in_an_error(cloud: Clients, *, fails: bool) -> None:
    cloud.world.deploy_broken("checkout", {"name": BROKEN, "image": 9}, fails_operations=fails)
    operation = cloud.update(["traffic"], traffic=[to(GOOD)])
    if fails:
        with pytest.raises(exceptions.GoogleAPICallError, match=BROKEN):
            operation.result(timeout=5)

    assert cloud.serving() == {(GOOD, 100, "")}
    assert not settled(cloud)


def test_a_write_that_fails_by_itself_moves_nothing_there_either(cloud: Clients) -> None:
    cloud.world.deploy_broken("checkout", {"name": BROKEN, "image": 9})
    cloud.world.fail_next_operation(9, "no capacity")
    with pytest.raises(exceptions.GoogleAPICallError, match="no capacity"):
        cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)

    assert cloud.serving() == {(BAD, 100, "")}


def test_the_next_deployment_that_starts_settles_it(cloud: Clients) -> None:
    cloud.world.deploy_broken("checkout", {"name": BROKEN, "image": 9})
    cloud.world.deploy("checkout", {"name": "checkout-00010-mended", "image": 10})

    assert settled(cloud)
    assert cloud.serving() == {("checkout-00010-mended", 100, "")}
