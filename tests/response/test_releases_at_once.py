"""A release is about what stands at that moment: also where others contain, release, or have just written there."""

from __future__ import annotations

import pytest

from firebreak.core.incidents.incident import Incident
from sandbox.wire import Fault, Meanwhile
from tests.response.answers import left_in_the_air, phase
from tests.response.harness import ALWAYS, BAD, GOOD, SERVICE, Line, Lines
from tests.response.releases import ELSEWHERE, PIN, REVOKE, in_two_regions, is_public, policy, results, serving

UNREACHED = ("UNAVAILABLE", "PERMISSION_DENIED")


def two_holds(on: Line) -> tuple[Incident, Incident]:
    """Two findings on one service, of which the second found it contained."""
    return on.respond(on.finding()), on.respond(on.finding(finding_id="another"))


def test_two_holds_that_are_released_at_once_end_at_the_origin(line: Lines) -> None:
    """Each was drawn while the other one still held it."""
    with line(policy=policy(PIN, REVOKE)) as on:
        first, second = two_holds(on)
        documents, commit, inside = on.app.ledger.documents, type(on.app.ledger.documents).commit, list[bool]()

        def between(self: object, writes: object) -> object:
            if not inside and "asked for the release" in str(writes):
                inside.append(True)  # the first one is drawn, and about to be noted: the second one comes and goes
                on.release(second, "bob")
            return commit(self, writes)  # type: ignore[arg-type]  # the store's own

        with pytest.MonkeyPatch.context() as patches:
            patches.setattr(type(documents), "commit", between)
            on.release(first)
        on.wait(61)
        on.sweep()

        assert inside
        assert [phase(on, one) for one in (first, second)] == ["released", "released"]
        assert on.reachable.keys() == {BAD}
        assert is_public(on)


def test_a_write_that_nobody_looked_at_yet_is_given_back_to_what_was_before_it(line: Lines) -> None:
    """Also where the release is refused once, and said again."""
    with line(policy=ALWAYS) as on:
        incident = left_in_the_air(on, on.finding())
        on.clock.skip(1)
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="UNAVAILABLE", times=4))
        on.release(incident)
        on.sandbox.wire.clear_faults()
        on.wait(301)
        on.sweep()
        again = on.release(incident)

        assert again.done, again.says
        assert on.reachable.keys() == {BAD}
        assert phase(on, incident) == "released"


def test_who_comes_to_hold_a_setting_meanwhile_keeps_it_and_the_record_says_so(line: Lines) -> None:
    with line(policy=policy(PIN, REVOKE)) as on:
        first = on.respond(on.finding())
        another = on.finding(finding_id="another")
        on.sandbox.wire.meanwhile(Meanwhile("*/GetService", lambda: on.respond(another), "before"))
        on.release(first)
        second = next(one.incident for one in on.app.ledger.newest(5) if one.incident.id != first.id)

        assert phase(on, second) == "contained"
        assert on.reachable.keys() == {GOOD}
        assert not is_public(on)
        assert "restored" not in results(on, first).values()


@pytest.mark.parametrize("code", UNREACHED)
def test_a_region_that_cannot_be_read_stays_held_and_blocks_no_other(line: Lines, code: str) -> None:
    with line(in_two_regions(), policy=policy(PIN)) as on:
        incident = on.respond(on.finding())
        on.sandbox.wire.inject(Fault("*/GetService", "error", code=code, routed="*us-east1*", times=None))
        on.release(incident)
        between = serving(on, SERVICE), serving(on, ELSEWHERE), phase(on, incident)
        on.sandbox.wire.clear_faults()
        again = on.release(incident)

        assert BAD in between[0]
        assert between[1] == {"checkout-00001-usg": 100}
        assert between[2] == "releasing"
        assert again.done, again.says
        assert phase(on, incident) == "released"
