"""What Firebreak wrote and nobody looked at yet is looked at before anything is concluded from how things are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.cloud_run.local_service import traffic_target
from sandbox.scc.notifications import Pair
from sandbox.wire import Fault, Meanwhile
from tests.response.answers import delivered, left_in_the_air, phase
from tests.response.deployments import deployed
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line, Lines, world_of
from tests.response.releases import PIN, REVOKE, is_public, policy

pytestmark = pytest.mark.thorough

TEN_MINUTES = 601
ANYBODY = {"role": "roles/run.invoker", "members": ["allUsers", "allAuthenticatedUsers"]}


def carried_on(on: Line, pair: Pair) -> None:
    """As Pub/Sub and the scheduler would."""
    for _ in range(3):
        on.wait(TEN_MINUTES)
        delivered(on, pair)
        on.sweep()


@pytest.mark.parametrize("dies", [True, False], ids=["the process dies then", "nobody dies"])
def test_a_grant_that_comes_with_the_first_write_stops_neither_write(line: Lines, *, dies: bool) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        pair = on.finding()
        if dies:
            left_in_the_air(on, pair)
            on.clock.skip(1)
            on.world.set_grants(SERVICE, ANYBODY)
        else:
            grants = Meanwhile("*/UpdateService", lambda: on.world.set_grants(SERVICE, ANYBODY), "after")
            on.sandbox.wire.meanwhile(grants)
        carried_on(on, pair)
        incident = next(on.app.ledger.newest(1)).incident

        assert phase(on, incident) == "contained"
        assert on.reachable.keys() == {GOOD}
        assert not is_public(on)
        assert on.release(incident).done
        assert on.reachable.keys() == {BAD}


def renamed(on: Line) -> None:
    deployed(on, ALWAYS.replace("id: always", "id: renamed"))


def asked_anew(on: Line) -> None:
    on.retry(next(on.app.ledger.newest(1)).incident)


@pytest.mark.parametrize("happens", [asked_anew, renamed])
def test_what_is_decided_anew_over_a_write_that_landed_is_contained(
    line: Lines, happens: Callable[[Line], None]
) -> None:
    """Never `declined` because nothing leads to the suspect any more, and never stuck."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        incident = left_in_the_air(on, pair)
        on.clock.skip(1)
        happens(on)
        carried_on(on, pair)

        assert phase(on, incident) == "contained"
        assert on.shown(on.read(incident))["stands"] is True
        assert on.announced[-1]["phase"] == "contained"
        assert on.release(incident).done
        assert on.reachable.keys() == {BAD}


IAM = [{"role": "roles/run.invoker", "members": ["allUsers", "user:eve@shop.example"]}]


@pytest.mark.parametrize("skip", range(4))
@pytest.mark.parametrize("call", ["*/GetIamPolicy", "*/ListRevisions"])
def test_one_empty_answer_is_no_answer(line: Lines, call: str, skip: int) -> None:
    """Neither that nobody has a grant, nor that what serves does not exist: containing, verifying and releasing."""
    with line(world_of(service={"iam": IAM, "public": False}), policy=policy(PIN, REVOKE)) as on:
        on.sandbox.wire.inject(Fault(call, "empty", times=1, skip=skip))
        incident = on.respond(on.finding())
        between = phase(on, incident), set(on.reachable), is_public(on)
        on.sandbox.wire.clear_faults()
        on.sandbox.wire.inject(Fault(call, "empty", times=1, skip=skip))
        released = on.release(incident)

        assert between == ("contained", {GOOD}, False)
        assert released.done, released.says
        assert on.reachable.keys() == {BAD}
        assert is_public(on)


def test_a_wish_of_somebody_else_that_has_not_come_true_is_not_contained(line: Lines) -> None:
    """Their rollback is what is asked for, and the suspect serves: that is no success, and `otherwise` follows."""
    with line(policy=ALWAYS) as on:
        local = on.world.service(SERVICE)
        local.service.traffic = [traffic_target({"revision": GOOD, "percent": 100})]
        incident = on.respond(on.finding())
        shown = on.shown(on.read(incident))

        assert [one["status"] for one in shown["outcomes"]] == ["Failure", "Success"]
        assert shown["outcomes"][1]["actions"] == ["cut_traffic"]
        assert shown["stands"] is True
