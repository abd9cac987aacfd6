"""Every event of a finding is decided, and their suspects add up, whenever each of them comes; over the wire."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from sandbox.scc.notifications import Pair, notification_v1, notification_v2
from sandbox.wire import Fault, Meanwhile
from sandbox.world import World
from tests.response.answers import (
    A_LEASE,
    HALF_AN_HOUR,
    agreed,
    asked,
    cut_short,
    delivered,
    left_in_the_air,
    phase,
    yes,
)
from tests.response.deployments import APPROVED, UNANSWERED
from tests.response.harness import ALWAYS, BAD, GOOD, OLD, REVISIONS, Line, Lines, revision, world_of
from tests.response.roads import A_SWEEP_LATER

pytestmark = pytest.mark.thorough

ALSO = "checkout-00009-also"
HALVES = ({"revision": BAD, "percent": 50}, {"revision": ALSO, "percent": 50})
IMAGES: Mapping[str, int] = {OLD: 6, GOOD: 7, BAD: 8, ALSO: 9}


def two_suspects(**more: Any) -> World:
    """Half of the traffic goes to each of two revisions; one older good one could take over both."""
    return world_of((*REVISIONS, revision(ALSO, 9, "-2h")), HALVES, **more)


def event(on: Line, suspect: str, minutes_ago: float, *, named: bool = True, **scene: Any) -> Pair:
    """The finding's newest state in SCC: the same finding, on this suspect, then."""
    where = f"services/checkout/revisions/{suspect}" if named else "services/checkout"
    return on.finding(workload=where, image=IMAGES[suspect], minutes_ago=minutes_ago, **scene)


def both_are_closed(on: Line, incident: Incident) -> bool:
    """Whether the incident says that it is contained, and nothing leads to either of the two."""
    return phase(on, incident) == "contained" and on.reachable == {GOOD: {"percent"}}


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by image"])
def test_an_event_that_comes_while_a_question_waits_is_decided_and_the_question_put_anew(
    line: Lines,
    named: bool,  # noqa: FBT001 - a case
) -> None:
    """With both suspects, under the first deadline; the answer to what was asked before carries out nothing."""
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3, named=named))
        first = asked(on, incident)
        on.wait(600)
        later = on.respond(event(on, ALSO, 2, named=named))
        second = asked(on, incident)
        told = on.announced[-1]
        late = yes(on, incident, first["digest"])
        between = len(on.updates)
        answered = yes(on, incident, second["digest"])

        assert later.id == incident.id
        assert second["digest"] != first["digest"]
        assert second["expires"] == first["expires"]
        assert told["question"]["digest"] == second["digest"]
        assert (late.done, between) == (False, 0)
        assert answered.done, answered.says
        assert both_are_closed(on, incident)
        assert (len(first["events"]), len(second["events"])) == (1, 2)


@pytest.mark.parametrize("verb", ["approve", "reject", "close"])
def test_no_answer_to_the_question_from_before_a_later_event_changes_anything(line: Lines, verb: str) -> None:
    """Whoever gives it is told so, and the newer question stands."""
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        shown = asked(on, incident)["digest"]
        on.respond(event(on, ALSO, 2))
        standing = asked(on, incident)
        answered = on.command(verb, incident, digest=shown)

        assert not answered.done
        assert answered.says
        assert on.updates == ()
        assert phase(on, incident) == "waiting"
        assert asked(on, incident) == standing


def test_a_later_event_on_the_same_suspect_is_one_more_event_that_the_question_is_about(line: Lines) -> None:
    """The plan is the same, and what a person agrees to is more than they were shown."""
    with line(policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        first = asked(on, incident)
        on.respond(event(on, BAD, 2))
        second = asked(on, incident)
        late = yes(on, incident, first["digest"])

        assert (len(first["events"]), len(second["events"])) == (1, 2)
        assert second["expires"] == first["expires"]
        assert second["digest"] != first["digest"]
        assert not late.done
        assert on.updates == ()
        assert agreed(on, incident).phase == "contained"


def test_the_same_event_however_often_it_is_told_leaves_the_question_as_it_is(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        pair = event(on, BAD, 3)
        incident = on.respond(pair)
        first = asked(on, incident)
        for body in (notification_v1(pair), notification_v2(pair)):
            on.respond(body)
        again = asked(on, incident)
        answered = yes(on, incident, first["digest"])

        assert again == first
        assert len(on.announced) == 2
        assert answered.done, answered.says


def test_an_event_that_comes_before_the_first_write_is_contained_with_the_one_before_it(line: Lines) -> None:
    """SCC keeps the newest state alone, and has forgotten whom the first one named."""
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = cut_short(on, event(on, BAD, 3))
        later = on.respond(event(on, ALSO, 2))

        assert later.id == incident.id
        assert both_are_closed(on, agreed(on, incident))


def test_an_event_that_comes_while_a_write_takes_effect_is_decided_once_it_is_verified(line: Lines) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = left_in_the_air(on, event(on, BAD, 3))
        second = event(on, ALSO, 2)
        taken = any(delivered(on, second) for _ in range(20))

        assert taken
        assert both_are_closed(on, agreed(on, incident))


@pytest.mark.parametrize("told", [True, False], ids=["told once", "lost"])
def test_an_event_that_comes_while_a_write_takes_effect_is_decided_by_sweeps_alone(
    line: Lines,
    told: bool,  # noqa: FBT001 - a case
) -> None:
    """Its message came once and is not delivered again, or never came: being known is not being decided."""
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = left_in_the_air(on, event(on, BAD, 3))
        second = event(on, ALSO, 2)
        if told:
            delivered(on, second)
        for _ in range(3):
            on.wait(A_SWEEP_LATER)
            on.clock.skip(1.0)  # the write takes effect meanwhile, which no sweep waits for
            on.sweep()

        assert both_are_closed(on, agreed(on, incident))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_event_that_comes_at_the_very_moment_of_the_write_is_not_lost(line: Lines, moment: Any) -> None:
    """Another instance takes its message while the first is at work, and may have to give it back."""
    with line(two_suspects(), policy=ALWAYS) as on:
        first = event(on, BAD, 3)

        def another_instance() -> None:
            with contextlib.suppress(Transient):
                on.respond(event(on, ALSO, 2))

        on.sandbox.wire.meanwhile(Meanwhile("*/UpdateService", another_instance, moment))
        incident = on.respond(first)
        on.wait(A_SWEEP_LATER)
        on.sweep()

        assert both_are_closed(on, agreed(on, incident))


def test_suspects_of_events_before_and_after_a_containment_add_up(line: Lines) -> None:
    """What the first closed stays closed, and when somebody opens it again, that is asked about."""
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = on.respond(event(on, BAD, 3))
        between = set(on.reachable)
        on.wait(60)
        on.respond(event(on, ALSO, -0.5))
        closed = both_are_closed(on, agreed(on, incident))
        on.world.set_traffic("checkout", {"revision": BAD, "percent": 100})
        on.wait(A_SWEEP_LATER)
        on.sweep()

        assert between == {GOOD, ALSO}
        assert closed
        assert phase(on, incident) == "waiting"
        assert both_are_closed(on, agreed(on, incident))


def test_three_events_before_any_answer_leave_the_only_revision_that_none_of_them_names(line: Lines) -> None:
    """The last one names what would have taken over from the first."""
    with line(two_suspects(), policy=APPROVED) as on:
        on.world.set_traffic("checkout", *HALVES, {"revision": GOOD, "tag": "stable"})
        incident = on.respond(event(on, BAD, 4))
        for minutes, suspect in ((3, ALSO), (2, GOOD)):
            on.respond(event(on, suspect, minutes))
        answered = yes(on, incident)

        assert answered.done, answered.says
        assert on.reachable == {OLD: {"percent"}}
        assert len(on.updates) == 1


def test_after_an_approval_that_was_denied_a_later_event_is_not_covered_by_it(line: Lines) -> None:
    """The same yes once more says nothing of what has come since."""
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        shown = asked(on, incident)["digest"]
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="PERMISSION_DENIED", times=None))
        yes(on, incident, shown)
        failed = phase(on, incident)
        on.sandbox.wire.clear_faults()
        writes = len(on.updates)
        on.respond(event(on, ALSO, 2))
        again = yes(on, incident, shown)
        between = (phase(on, incident), len(on.updates) - writes, set(on.reachable))
        digest = asked(on, incident)["digest"]
        answered = yes(on, incident)

        assert failed == "failed"
        assert not again.done
        assert between == ("waiting", 0, {BAD, ALSO})
        assert digest != shown
        assert answered.done, answered.says
        assert both_are_closed(on, incident)


def test_an_approval_under_way_does_not_cover_an_event_that_comes_before_its_write(line: Lines) -> None:
    """Cloud Run was away when the yes came. Whoever carries on finds more than was agreed to, and asks."""
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        shown = asked(on, incident)["digest"]
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="UNAVAILABLE", times=None))
        with pytest.raises(Transient):
            yes(on, incident, shown)
        on.sandbox.wire.clear_faults()
        on.respond(event(on, ALSO, 2))
        again = yes(on, incident, shown)
        between = (phase(on, incident), set(on.reachable))
        answered = yes(on, incident)

        assert not again.done
        assert between == ("waiting", {BAD, ALSO})
        assert answered.done, answered.says
        assert both_are_closed(on, incident)


def test_an_event_while_a_question_about_a_change_by_others_waits_is_asked_about_with_it(line: Lines) -> None:
    """One yes closes again what somebody opened, and what the event names besides."""
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = on.respond(event(on, BAD, 3))
        on.world.set_traffic("checkout", *HALVES)
        on.wait(A_SWEEP_LATER)
        on.sweep()
        first = asked(on, incident)["digest"]
        on.respond(event(on, ALSO, -5))
        late = yes(on, incident, first)
        between = (phase(on, incident), set(on.reachable))
        answered = yes(on, incident)

        assert first
        assert not late.done
        assert between == ("waiting", {BAD, ALSO})
        assert answered.done, answered.says
        assert both_are_closed(on, incident)


def test_an_event_after_a_no_opens_an_incident_of_its_own_which_no_answer_of_before_reaches(line: Lines) -> None:
    with line(two_suspects(), policy=APPROVED) as on:
        first = on.respond(event(on, BAD, 3))
        shown = asked(on, first)["digest"]
        on.reject(first, "a drill")
        second = on.respond(event(on, ALSO, 2))
        late = [yes(on, one, shown) for one in (first, second)]

        assert second.id != first.id
        assert (phase(on, first), phase(on, second)) == ("rejected", "waiting")
        assert [one.done for one in late] == [False, False]
        assert on.updates == ()


def test_events_that_come_during_a_halt_are_decided_together_once_it_is_lifted(line: Lines) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        on.command("halt", reason="a drill")
        incident = on.respond(event(on, BAD, 3))
        later = on.respond(event(on, ALSO, 2))
        halted = (phase(on, incident), on.updates)
        on.command("resume")
        on.wait(A_SWEEP_LATER)
        on.sweep()

        assert later.id == incident.id
        assert halted == ("deferred", ())
        assert both_are_closed(on, agreed(on, incident))


def test_nobody_s_answer_contains_nothing_that_a_later_event_has_changed(line: Lines) -> None:
    """Ten minutes before the deadline another revision was named: that was not shown the whole time."""
    with line(two_suspects(), policy=UNANSWERED) as on:
        incident = on.respond(event(on, BAD, 3))
        on.wait(HALF_AN_HOUR - 600)
        on.respond(event(on, ALSO, 2))
        changed = asked(on, incident)["digest"]
        on.wait(600)
        on.sweep()

        assert changed
        assert on.updates == ()
        assert phase(on, incident) == "waiting"
        assert both_are_closed(on, agreed(on, incident))


def test_an_event_whose_message_is_lost_while_a_question_waits_is_decided_all_the_same(line: Lines) -> None:
    """SCC holds it when the answer comes, and a sweep finds it at the latest."""
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        event(on, ALSO, 2)
        yes(on, incident)
        on.wait(A_LEASE)
        on.sweep()

        assert both_are_closed(on, agreed(on, incident))
        assert len(asked(on, incident)["events"]) == 2


def test_an_event_from_before_the_containment_that_comes_after_it_is_judged_by_what_served_then(line: Lines) -> None:
    """Neither name nor digest: by what serves now, the revision that took over would be suspect."""
    with line(policy=ALWAYS) as on:
        on.respond(on.finding(image=None, minutes_ago=5))
        incident = on.respond(on.finding(image=None, minutes_ago=4))

        assert phase(on, incident) == "contained"
        assert on.reachable == {GOOD: {"percent"}}
        assert len(on.updates) == 1
