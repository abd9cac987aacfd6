"""What is told is so: contained once it was seen in effect, not for want of a look; failed by its own fault alone."""

from __future__ import annotations

from contextlib import suppress

import pytest

from firebreak.core.errors import Transient
from firebreak.response import pipeline
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.wire import Call, Fault
from sandbox.world import World
from tests.laws.grounds import GROUNDS
from tests.response.answers import cut_short
from tests.response.conversation import PIN_AND_CLOSE, doing, later, now, phase, reasons, say, told, writes
from tests.response.deployments import deployed
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines, revision, world_of
from tests.response.test_events_together import ALSO, event, two_suspects
from tests.response.test_pools_and_jobs import STOP_AND_BLOCK

CUT = doing("{action: cut_traffic}")
CLOSE = doing("{action: revoke_public_access}")
BROKEN = revision("checkout-00009-broken", 9, "-1m")
NEVER = 7200.0
LATEST = 1


def respond_within(on: Line, pair: Pair, seconds: float) -> None:
    """A delivery that has no more time than that."""
    pipeline.respond(on.app, notification_v2(pair), seconds)


def respond_for(on: Line, pair: Pair, seconds: float) -> None:
    """The same, whether or not it ends in that time: on a busy machine nothing may be left for the topic."""
    with suppress(Transient):
        respond_within(on, pair, seconds)


@pytest.mark.parametrize(
    ("policy", "write", "read"),
    [
        (ALWAYS, "*/UpdateService", "*/GetService"),
        (ALWAYS, "*/UpdateService", "*/ListRevisions"),
        (CLOSE, "*/SetIamPolicy", "*/GetIamPolicy"),
        (PIN_AND_CLOSE, "*/UpdateService", "*/GetIamPolicy"),
    ],
    ids=["service", "revisions", "policy", "policy after the pin"],
)
def test_what_was_written_and_cannot_be_read_is_not_called_contained(
    line: Lines, policy: str, write: str, read: str
) -> None:
    """The next delivery looks, and does not write again."""
    with line(policy=policy) as on:
        pair = on.finding()

        def goes_away(_: Call) -> None:
            on.sandbox.wire.inject(Fault(read, "error", code="INTERNAL", times=None))

        on.sandbox.wire.watch(write, goes_away)
        with pytest.raises(Transient):
            respond_within(on, pair, 5)
        incident = next(on.app.ledger.newest(1)).incident
        during = phase(on, incident), told(on, incident)
        on.sandbox.wire.clear_faults()
        on.wait(60)
        on.respond(pair)

        assert during[0] in ("containing", "verifying")
        assert during[1] == []
        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["contained"]
        assert len(on.sandbox.wire.calls_to(write)) == 1


@pytest.mark.parametrize("fails", [True, False], ids=["the operation fails", "the operation succeeds"])
def test_a_newest_deployment_that_is_broken_does_not_keep_a_pin_from_being_in_effect(
    line: Lines, *, fails: bool
) -> None:
    """The traffic statuses decide; the service as a whole settles only when that deployment is mended."""
    with line(policy=ALWAYS) as on:
        on.world.deploy_broken("checkout", BROKEN, fails_operations=fails)
        pair = on.finding()
        respond_for(on, pair, 5)
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]
        assert set(on.reachable) == {GOOD}
        assert on.world.service("checkout").service.ingress == 1
        assert len(writes(on)) == 1


def test_a_door_that_is_shut_beside_a_broken_deployment_is_shut(line: Lines) -> None:
    """No status tells of it: the setting as it is read counts, and the error names another revision."""
    with line(policy=CUT) as on:
        on.world.deploy_broken("checkout", BROKEN)
        pair = on.finding()
        respond_for(on, pair, 5)
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert told(on, incident) == ["contained"]
        assert on.world.service("checkout").service.ingress == 4
        assert len(writes(on)) == 1


def test_a_write_that_fails_by_itself_beside_a_broken_deployment_has_failed(line: Lines) -> None:
    """What serves is what served: `otherwise` follows, and that is what is in effect."""
    with line(policy=ALWAYS) as on:
        on.world.deploy_broken("checkout", BROKEN, fails_operations=False)
        on.world.fail_next_operation(9, "no capacity in this region")
        pair = on.finding()
        respond_for(on, pair, 5)
        incident = on.respond(pair)

        assert incident.phase == "contained"
        assert on.world.service("checkout").service.ingress == 4
        assert "no capacity" in reasons(on, incident)


def test_what_failed_and_could_not_be_taken_back_is_released_before_it_is_closed(line: Lines) -> None:
    """Closed, nobody would come by it again: the next deployment would make the write come true."""
    with line(policy=ALWAYS) as on:
        on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="PERMISSION_DENIED", times=None, skip=1))
        incident = on.respond(on.finding())
        on.sandbox.wire.clear_faults()
        closed = []
        for seconds in (0, 3600):
            on.wait(seconds)
            closed.append(on.close(incident).done)
        waited = phase(on, incident)
        released = on.release(incident)

        assert (closed, waited) == ([False, False], "failed")
        assert released.done, released.says
        assert on.world.service("checkout").service.traffic[0].type_ == LATEST
        assert on.close(incident).done


def test_what_is_being_written_is_not_closed_meanwhile_and_keeps_its_hold(line: Lines) -> None:
    """Its answer was lost: it may take effect yet."""
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        incident = cut_short(on, pair)
        on.wait(150)
        closed = on.close(incident)
        holds = len(on.app.ledger.standing(incident.targets[0])[0].holds)
        on.respond(pair)

        assert (closed.done, holds) == (False, 1)
        assert phase(on, incident) == "contained"


def closed_already() -> World:
    return world_of(service={"ingress": "none", "default_uri_disabled": True, "last_modifier": "eve@shop.example"})


def test_what_somebody_had_closed_already_is_contained_and_says_by_whom(line: Lines) -> None:
    with line(closed_already(), policy=CUT) as on:
        incident = on.respond(on.finding())
        told_of = str(now(on, incident)["outcomes"]) + reasons(on, incident)

        assert incident.phase == "contained"
        assert writes(on) == []
        assert "eve@shop.example" in told_of


def test_what_cannot_be_seen_to_be_closed_is_not_called_so(line: Lines) -> None:
    """Nothing was written by us either."""
    with line(closed_already(), policy=CUT) as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault("*/GetService", "error", code="INTERNAL", times=None))
        with pytest.raises(Transient):
            on.respond(pair)
        incident = next(on.app.ledger.newest(1)).incident

        assert phase(on, incident) != "contained"
        assert told(on, incident) == []


@pytest.mark.parametrize("kind", ["service", "job"])
def test_an_operation_that_runs_for_an_hour_is_told_to_a_person(line: Lines, kind: str) -> None:
    """Once; nothing is given up, and its end is told as ever."""
    ground = GROUNDS["service" if kind == "service" else "job"]
    with line(ground.world(settle_seconds=NEVER), policy=ALWAYS if kind == "service" else STOP_AND_BLOCK) as on:
        pair = on.finding(workload=ground.workload)
        with pytest.raises(Transient):
            respond_within(on, pair, 1)
        incident = next(on.app.ledger.newest(1)).incident
        said = len(on.logged)
        swept(on, minutes=50)
        early = phase(on, incident), told(on, incident)
        swept(on, minutes=15)
        swept(on, minutes=15)
        late = phase(on, incident), told(on, incident)
        loud = [one for one in on.logged[said:] if one["severity"] in ("WARNING", "ERROR") and incident.id in str(one)]
        for operation in on.world.operations.values():
            operation.ends_at = 0.0
        later(on, 5)

        assert early == ("verifying", [])
        assert late == ("verifying", ["verifying"])
        assert loud
        assert phase(on, incident) == "contained"
        assert told(on, incident) == ["verifying", "contained"]


def swept(on: Line, minutes: float) -> None:
    """A sweep with little time, since nothing ends by waiting here."""
    on.wait(60 * minutes)
    pipeline.sweep(on.app, 2.0)


@pytest.mark.parametrize("stops", ["monitor", "no"])
def test_what_is_left_undone_beside_what_stands_is_named_as_still_open(line: Lines, stops: str) -> None:
    """A second event names another revision: a ceiling forbids to close it, or a person does."""
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = on.respond(event(on, BAD, 3))
        if stops == "monitor":
            deployed(on, ALWAYS, config="ceiling: monitor")
        on.respond(event(on, ALSO, 2))
        if stops == "no":
            say(on, "reject", incident)

        assert phase(on, incident) == "contained"
        assert ALSO in on.reachable
        assert any(one.startswith("pin_previous_revision was not done: ") for one in now(on, incident)["still_open"])
