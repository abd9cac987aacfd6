"""Who else runs as a service account: what Cloud Run lists, and what is said where it does not; over the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from firebreak.adapters.google.service_account_users import ServiceAccountUsers
from firebreak.core.cloud_run.account_usage import NEVER_SEEN, Users
from firebreak.core.cloud_run.target import Target
from firebreak.ports.deadline import Deadline
from sandbox.server import Sandbox
from sandbox.wire import Fault
from sandbox.world import World

PAY, PAYMENTS = "pay@shop-prod.iam.gserviceaccount.com", "payments@shop-prod.iam.gserviceaccount.com"
DEFAULT = "424242424242-compute@developer.gserviceaccount.com"
NEAR = Target("shop-prod", "europe-west1", "service", "checkout", project_id="shop-prod", project_number="424242424242")
REVISION = [{"name": "one-00001", "image": 1, "created": "-1d"}]


def service(name: str, account: str, region: str = "europe-west1", project: str = "shop-prod") -> dict[str, Any]:
    path = f"projects/{project}/locations/{region}/services/{name}"
    return {"name": path, "service_account": account, "revisions": REVISION}


def users(
    account: str = PAY, *, prepare: Callable[[Sandbox], object] = lambda _: None, seconds: float = 4, **world: Any
) -> Users:
    given = {"projects": {"shop-prod": {"number": "424242424242"}}, "services": [service("checkout", PAY)], **world}
    with Sandbox(World.load(given)) as sandbox:
        prepare(sandbox)
        asking = ServiceAccountUsers(sandbox.environment()["CLOUD_RUN_EMULATOR_HOST"])
        return asking.users_of(NEAR.account(account), NEAR, Deadline.after(seconds))


def failing(method: str, code: str = "PERMISSION_DENIED") -> Callable[[Sandbox], object]:
    return lambda on: on.wire.inject(Fault(method, "error", code=code, times=None))


def test_everything_of_the_project_that_runs_as_it_is_named_and_what_asks_is_not() -> None:
    """Services, jobs and worker pools of every region; a longer name that begins alike is another account."""
    path = "projects/shop-prod/locations/us-east1"
    found = users(
        services=[
            service("checkout", PAY),
            service("checkout", PAY, "us-east1"),
            service("basket", PAY),
            service("ledger", PAYMENTS),
            service("old", f"x{PAY}"),
            service("other", PAY, project="shop-test"),
        ],
        jobs=[{"name": f"{path}/jobs/nightly", "service_account": PAY}, {"name": f"{path}/jobs/weekly"}],
        worker_pools=[{"name": f"{path}/workerPools/indexer", "service_account": PAY, "revisions": REVISION}],
    )

    assert found.names == (
        "job nightly in us-east1",
        "service basket in europe-west1",
        "service checkout in us-east1",
        "worker pool indexer in us-east1",
    )
    assert found.unseen == NEVER_SEEN


def test_nobody_is_named_where_nobody_was_found_and_what_was_not_looked_at_is_said() -> None:
    assert users() == Users((), NEVER_SEEN)


def test_an_account_of_another_project_is_looked_for_there_too() -> None:
    found = users(
        "pay@shop-test.iam.gserviceaccount.com",
        services=[
            service("checkout", "pay@shop-test.iam.gserviceaccount.com"),
            service("basket", PAY),
            service("checkout", "pay@shop-test.iam.gserviceaccount.com", project="shop-test"),
        ],
    )

    assert found.names == ("service checkout in europe-west1 of shop-test",)


def test_what_names_no_account_runs_as_the_default_one() -> None:
    found = users(DEFAULT, services=[service("checkout", DEFAULT), service("basket", ""), service("ledger", PAY)])

    assert found.names == ("service basket in europe-west1",)


def test_what_runs_as_no_named_account_is_no_user_of_another_one() -> None:
    assert users(services=[service("checkout", PAY), service("basket", "")]).names == ()


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_a_list_that_fails_is_said_and_the_others_count(code: str) -> None:
    job = {"name": "projects/shop-prod/locations/europe-west1/jobs/nightly", "service_account": PAY}
    found = users(prepare=failing("*/ListServices", code), seconds=0.5, jobs=[job])

    assert found.names == ("job nightly in europe-west1",)
    assert found.unseen[0].startswith(f"the services of shop-prod, which could not be listed: {code}")


def test_without_any_list_nobody_is_known_and_nothing_is_raised() -> None:
    found = users(prepare=failing("*/List*"))

    assert found.names == ()
    assert [text.split(", ")[0] for text in found.unseen[:-2]] == [
        "the services of shop-prod",
        "the jobs of shop-prod",
        "the worker pools of shop-prod",
    ]


def test_where_all_regions_are_not_listed_at_once_the_own_one_is_and_that_is_said() -> None:
    """So Google's client says of services and worker pools."""
    found = users(
        services=[service("checkout", PAY), service("basket", PAY), service("away", PAY, "us-east1")],
        lists_everywhere=False,
    )

    assert found.names == ("service basket in europe-west1",)
    assert found.unseen == (
        "the services of shop-prod outside europe-west1",
        "the worker pools of shop-prod outside europe-west1",
        *NEVER_SEEN,
    )


def test_a_list_that_leaves_out_what_exists_is_not_believed_to_be_whole() -> None:
    found = users(services=[service("basket", PAY)])

    assert found.names == ("service basket in europe-west1",)
    assert found.unseen[0] == "some of the services of shop-prod: the list leaves out checkout itself"


def test_the_list_does_not_end_with_its_first_page_and_many_are_counted() -> None:
    many = [service(f"s{number:03}", PAY) for number in range(45)]
    found = users(services=[service("checkout", PAY), *many])

    assert found.names[:2] == ("service s000 in europe-west1", "service s001 in europe-west1")
    assert (len(found.names), found.names[-1]) == (21, "and 25 more")


def test_a_list_that_hangs_is_one_that_failed() -> None:
    found = users(prepare=lambda on: on.wire.inject(Fault("*/ListJobs", "hang", times=None)), seconds=0.4)

    assert found.unseen[0].startswith("the jobs of shop-prod, which could not be listed")
