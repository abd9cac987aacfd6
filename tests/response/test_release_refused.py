"""What a release tries, in which order, and what becomes of it where Google's systems refuse, fail or are away."""

from __future__ import annotations

import contextlib

import pytest

from firebreak.core.errors import Transient
from sandbox.wire import Fault
from tests.laws.grounds import GROUNDS, POOL
from tests.response.harness import BAD, GOOD, Lines, revision
from tests.response.releases import (
    ACCOUNT_KEY,
    CUT,
    DIRECT,
    DISABLE,
    ELSEWHERE,
    HERE,
    INGRESS,
    OTHER_BAD,
    OTHER_GOOD,
    PAY,
    PAYMENTS,
    PIN,
    PUBLIC,
    REVOKE,
    SPLIT,
    THERE,
    contained,
    doors,
    in_two_regions,
    is_disabled,
    masks,
    phase,
    policy,
    results,
    running_as,
    serving,
    wished,
    writes,
)

pytestmark = pytest.mark.thorough

DOORS = {"ingress", "default_uri_disabled"}


def test_identities_come_first_then_grants_then_one_update_of_the_service(line: Lines) -> None:
    """What runs as a disabled account may take no update; the doors of traffic are opened last."""
    with line(running_as(), policy=policy(DISABLE, REVOKE, PIN, CUT)) as on:
        incident = contained(on)
        before = len(writes(on))
        on.release(incident)

        assert writes(on)[before:] == ["EnableServiceAccount", "SetIamPolicy", "UpdateService"]
        assert masks(on)[-1] == {"traffic", *DOORS}
        assert phase(on, incident) == "released"


def test_an_account_that_google_keeps_disabled_holds_up_nothing_else(line: Lines) -> None:
    with line(running_as(PAYMENTS, PAY), policy=policy(DISABLE, PIN)) as on:
        on.world.service("checkout").revisions[-1].service_account = PAY
        incident = contained(on)
        on.world.accounts[PAY].by_google = True
        on.release(incident)
        half = phase(on, incident), results(on, incident), serving(on)
        before = len(writes(on))
        on.world.accounts[PAY].by_google = False
        on.release(incident)

        assert half == ("releasing", {ACCOUNT_KEY: "refused", SPLIT: "restored"}, {BAD: 100})
        assert writes(on)[before:] == ["EnableServiceAccount"]
        assert not is_disabled(on)
        assert phase(on, incident) == "released"


def test_where_one_update_of_the_whole_service_is_refused_doors_and_traffic_are_tried_apart(line: Lines) -> None:
    with line(policy=policy(PIN, CUT)) as on:
        incident = contained(on)
        before = len(masks(on))
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "FAILED_PRECONDITION"))
        answered = on.release(incident)

        assert answered.done, answered.says
        assert masks(on)[before:] == [{"traffic", *DOORS}, DOORS, {"traffic"}]
        assert (serving(on), doors(on)) == ({BAD: 100}, (1, False))
        assert phase(on, incident) == "released"
        assert results(on, incident) == {SPLIT: "restored", INGRESS: "restored", DIRECT: "restored"}


def test_where_the_traffic_is_refused_the_doors_are_restored_and_it_alone_is_tried_again(line: Lines) -> None:
    """As where a policy on images no longer admits the revision."""
    with line(policy=policy(PIN, CUT)) as on:
        incident = contained(on)
        refused = Fault("*/UpdateService", "error", "FAILED_PRECONDITION", "image is not attested")
        on.sandbox.wire.inject(refused, Fault("*/UpdateService", "error", "FAILED_PRECONDITION", skip=1))
        on.release(incident)
        half = phase(on, incident), results(on, incident), serving(on), doors(on)
        on.release(incident)

        assert half[0] == "releasing"
        assert half[1] == {SPLIT: "refused", INGRESS: "restored", DIRECT: "restored"}
        assert half[2:] == ({GOOD: 100}, (1, False))
        assert masks(on)[-1] == {"traffic"}
        assert serving(on) == {BAD: 100}
        assert phase(on, incident) == "released"


def test_where_the_doors_are_refused_the_traffic_is_restored_and_they_alone_are_tried_again(line: Lines) -> None:
    """As where an organization policy no longer allows that ingress."""
    with line(policy=policy(PIN, CUT)) as on:
        incident = contained(on)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "FAILED_PRECONDITION", times=2))
        on.release(incident)
        half = phase(on, incident), results(on, incident), serving(on), doors(on)
        on.release(incident)

        assert half[0] == "releasing"
        assert half[1] == {SPLIT: "restored", INGRESS: "refused", DIRECT: "refused"}
        assert half[2:] == ({BAD: 100}, (4, True))
        assert masks(on)[-1] == DOORS
        assert doors(on) == (1, False)
        assert phase(on, incident) == "released"


def test_where_every_key_is_refused_the_containment_stands_and_can_be_released_later(line: Lines) -> None:
    with line(GROUNDS["worker_pool"].world(), policy=policy(PIN)) as on:
        incident = contained(on, workload="workerPools/indexer")
        on.sandbox.wire.inject(Fault("*/UpdateWorkerPool", "error", "PERMISSION_DENIED", times=None))
        answered = on.release(incident)
        refused = phase(on, incident), results(on, incident)
        on.sandbox.wire.clear_faults()
        on.release(incident)

        assert not answered.done
        assert refused == ("contained", {"worker_pool.split": "refused"})
        assert phase(on, incident) == "released"
        assert [one.revision for one in on.world.pools[POOL].pool.instance_split_statuses] == ["indexer-00008"]


def test_a_release_whose_operation_fails_leaves_no_wish_behind(line: Lines) -> None:
    """What failed is put back as it was: the next deployment must not make it come true."""
    with line(policy=policy(PIN)) as on:
        incident = contained(on)
        for _ in range(5):
            on.world.fail_next_operation()
        answered = on.release(incident)
        refused = wished(on), serving(on), phase(on, incident), results(on, incident)
        on.world.failing_operations.clear()
        on.release(incident)

        assert not answered.done
        assert refused == ({GOOD: 100}, {GOOD: 100}, "contained", {SPLIT: "refused"})
        assert serving(on) == {BAD: 100}
        assert phase(on, incident) == "released"


@pytest.mark.parametrize("steps", [(PIN,), (CUT,), (PIN, CUT)], ids=["traffic", "doors", "both"])
def test_an_operation_that_fails_for_another_deployments_sake_has_restored_what_serves(
    line: Lines, steps: tuple[str, ...]
) -> None:
    with line(policy=policy(*steps)) as on:
        incident = contained(on)
        on.world.deploy("checkout", revision("checkout-00009-new", 9, "-1s", ready=False))
        said = "Revision 'checkout-00009-new' is not ready and cannot serve traffic."
        on.world.fail_next_operation(9, said, serves=True)
        answered = on.release(incident)

        assert answered.done, answered.says
        assert (serving(on), doors(on)) == ({BAD: 100}, (1, False))
        assert len(on.updates) == 2
        assert phase(on, incident) == "released"
        assert set(results(on, incident).values()) == {"restored"}


def test_what_could_not_be_reached_is_still_held_and_tried_when_it_is_said_again(line: Lines) -> None:
    """Cloud Run goes away between the grants and the traffic."""
    with line(policy=policy(PIN, REVOKE)) as on:
        incident = contained(on)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "UNAVAILABLE", times=None))
        with contextlib.suppress(Transient):
            on.release(incident)
        half = phase(on, incident), results(on, incident)
        on.sandbox.wire.clear_faults()
        on.wait(61)
        before = len(writes(on))
        on.release(incident)

        assert half[0] == "releasing"
        assert half[1][PUBLIC] == "restored"
        assert half[1][SPLIT] in ("refused", "due")
        assert writes(on)[before:] == ["UpdateService"]
        assert phase(on, incident) == "released"


@pytest.mark.parametrize("denied", [HERE, THERE])
def test_a_region_that_refuses_keeps_its_hold_and_the_other_is_restored(line: Lines, denied: str) -> None:
    """Said again, only the one that refused is written."""
    with line(in_two_regions(), policy=policy(PIN)) as on:
        incident = contained(on)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "PERMISSION_DENIED", routed=f"*{denied}*", times=None))
        answered = on.release(incident)
        other = THERE if denied == HERE else HERE
        half = phase(on, incident), results(on, incident, denied), results(on, incident, other)
        between = serving(on), serving(on, ELSEWHERE)
        on.sandbox.wire.clear_faults()
        before = len(on.updates)
        on.release(incident)

        assert not answered.done
        assert half == ("releasing", {SPLIT: "refused"}, {SPLIT: "restored"})
        assert between == (({GOOD: 100}, {OTHER_BAD: 100}) if denied == HERE else ({BAD: 100}, {OTHER_GOOD: 100}))
        assert [call.request.service.name.split("/")[3] for call in on.updates[before:]] == [denied]
        assert (serving(on), serving(on, ELSEWHERE)) == ({BAD: 100}, {OTHER_BAD: 100})
        assert phase(on, incident) == "released"


def test_half_released_it_is_quiet_where_it_is_open_and_watched_where_it_is_held(line: Lines) -> None:
    """What somebody opens in the region that refused is told; what the release opened in the other one is not."""
    with line(in_two_regions(), policy=policy(PIN)) as on:
        incident = contained(on)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", "PERMISSION_DENIED", routed=f"*{THERE}*", times=None))
        on.release(incident)
        announced, writes_ = len(on.announced), len(on.updates)
        on.wait(60)
        on.sweep()
        quiet = len(on.announced) == announced
        on.world.set_traffic(ELSEWHERE, {"latest": True, "percent": 100})
        on.wait(60)
        on.sweep()

        assert quiet
        assert len(on.announced) > announced
        assert on.announced[-1]["reopened"] == [OTHER_BAD]
        assert len(on.updates) == writes_
