"""A minute in which Google takes no more writes ends neither a release nor what puts a failed write back."""

from __future__ import annotations

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from sandbox.wire import Call, Fault, Refusal
from tests.response.answers import delivered
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines

UPDATE = "*/UpdateService"


def without_quota(on: Line, times: int | None) -> None:
    on.sandbox.wire.inject(Fault(UPDATE, "error", code="RESOURCE_EXHAUSTED", times=times))


def refused(on: Line, incident: Incident) -> list[str]:
    release = on.read(incident).release
    return [one.detail for one in release.keys if one.result == "refused"] if release else []


def test_a_release_waits_for_the_quota_as_a_containment_does(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident, began = on.respond(on.finding()), on.clock.skipped
        without_quota(on, 2)
        released = on.release(incident)

        assert released.done
        assert released.held.incident.phase == "released"
        assert set(on.reachable) == {BAD}
        assert on.clock.skipped - began > 10


def test_a_release_that_found_no_quota_is_carried_on_by_the_sweep(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        without_quota(on, None)
        with pytest.raises(Transient):
            on.release(incident)
        sent = len(on.updates)
        on.sandbox.wire.clear_faults()
        on.clock.skip(60)
        on.wait(60)
        on.sweep()

        assert sent <= 1 + 5
        assert refused(on, incident) == []
        assert on.read(incident).phase == "released"
        assert set(on.reachable) == {BAD}


def test_a_quota_that_stays_used_up_is_told_after_ten_minutes_and_holds_nothing_up_for_ever(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = on.respond(on.finding())
        without_quota(on, None)
        with pytest.raises(Transient):
            on.release(incident)
        on.clock.skip(60)
        on.wait(660)
        on.sweep()

        assert ["could not be reached" in one for one in refused(on, incident)] == [True]
        assert on.read(incident).phase == "contained"


def test_what_failed_is_put_back_once_google_takes_writes_again(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        sent: list[Call] = []

        def second_is_one_too_many(call: Call) -> None:
            sent.append(call)
            if len(sent) in (2, 3, 4):
                raise Refusal("RESOURCE_EXHAUSTED", "60 writes a minute")

        on.sandbox.wire.watch(UPDATE, second_is_one_too_many)
        on.world.fail_next_operation(13, "Revision 'x' does not exist or is deleted.")
        pair = on.finding()
        while not delivered(on, pair):
            on.clock.skip(61)
        incident = next(on.app.ledger.newest(1)).incident

        assert incident.phase == "contained"
        assert not [one for one in incident.history if "could not be put back" in one.what]
        assert GOOD not in on.reachable or BAD in on.reachable
