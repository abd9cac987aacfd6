"""No word of a person and no end swallows an event that nothing was decided with; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from firebreak.core.errors import Transient
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.incident import Incident
from sandbox.scc.notifications import notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.wire import Meanwhile
from tests.response.answers import HALF_AN_HOUR, agreed, asked, cautions, cut_short, delivered, now, phase, yes
from tests.response.deployments import APPROVED, deployed
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.releases import PIN, REVOKE, in_two_regions, is_public, policy
from tests.response.roads import A_SWEEP_LATER
from tests.response.test_events_together import ALSO, both_are_closed, event, two_suspects
from tests.response.test_gate_between_writes import once_written_here, tagged_there

pytestmark = pytest.mark.thorough


def deferred_while_contained(on: Line) -> Incident:
    """Contained for one event, when everything is halted and another one comes on what still serves."""
    incident = on.respond(event(on, BAD, 3))
    assert phase(on, incident) == "contained"
    on.command("halt", reason="a drill")
    on.respond(event(on, ALSO, 2))
    assert phase(on, incident) == "deferred"
    return incident


def once_resumed(on: Line) -> None:
    on.command("resume")
    on.wait(A_SWEEP_LATER)
    on.sweep()


@pytest.mark.parametrize("refused", [False, True], ids=["in full", "in part"])
def test_what_is_released_while_a_further_event_waits_for_a_halt_stays_open_for_it(
    line: Lines,
    refused: bool,  # noqa: FBT001 - a case
) -> None:
    """A person saw it released within the day, and so it is asked about."""
    with line(two_suspects(), policy=policy(PIN, REVOKE)) as on:
        incident = deferred_while_contained(on)
        on.world.admits_public_members = not refused
        answered = on.release(incident)
        between = phase(on, incident), set(on.reachable)
        once_resumed(on)
        then = phase(on, incident)
        agreed(on, incident)
        closed = both_are_closed(on, incident), is_public(on)
        on.world.admits_public_members = True
        last = on.release(incident)

        assert answered.done is not refused
        assert between == ("deferred", {BAD, ALSO})
        assert then == "waiting"
        assert closed == (True, False)
        assert last.done, last.says
        assert (phase(on, incident), set(on.reachable), is_public(on)) == ("released", {BAD, ALSO}, True)


def test_once_released_nothing_of_it_stands_while_the_event_waits(line: Lines) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = deferred_while_contained(on)
        first, again = on.release(incident), on.release(incident)
        shown = now(on, incident)

        assert first.done, first.says
        assert not again.done
        assert "nothing is contained" in again.says
        assert not shown["stands"]


@pytest.mark.parametrize("refused", [False, True], ids=["in full", "in part"])
def test_a_release_is_no_answer_to_a_question_about_a_further_event(
    line: Lines,
    refused: bool,  # noqa: FBT001 - a case
) -> None:
    with line(two_suspects(), policy=policy(PIN, REVOKE)) as on:
        incident = on.respond(event(on, BAD, 3))
        on.respond(event(on, ALSO, 2))
        first = phase(on, incident), asked(on, incident)["digest"]
        on.world.admits_public_members = not refused
        answered = on.release(incident)
        then = phase(on, incident), set(on.reachable)
        late = yes(on, incident, first[1])
        agreed(on, incident)

        assert first[0] == "waiting"
        assert answered.done is not refused
        assert then == ("waiting", {BAD, ALSO})
        assert not late.done
        assert both_are_closed(on, incident)


def opened_by_somebody(on: Line) -> Incident:
    """All of what is contained, asked about because of a change by others."""
    incident = on.respond(event(on, BAD, 3))
    on.world.set_traffic("checkout", {"revision": BAD, "percent": 100})
    on.wait(A_SWEEP_LATER)
    on.sweep()
    return incident


def written_in_one_of_two_regions(on: Line) -> Incident:
    once_written_here(on, tagged_there)
    incident = on.respond(on.finding())
    yes(on, incident)
    return incident


def test_a_release_ends_a_question_about_what_others_changed(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        incident = opened_by_somebody(on)
        before = phase(on, incident)
        answered = on.release(incident)

        assert (before, phase(on, incident)) == ("waiting", "released")
        assert answered.done, answered.says


def test_a_release_ends_a_question_about_the_rest_of_what_it_takes_back(line: Lines) -> None:
    with line(in_two_regions(), policy=APPROVED) as on:
        incident = written_in_one_of_two_regions(on)
        before = phase(on, incident)
        answered = on.release(incident)

        assert (before, phase(on, incident)) == ("waiting", "released")
        assert answered.done, answered.says


def test_closing_what_a_person_was_asked_about_ends_no_event_that_came_since(line: Lines) -> None:
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        shown = asked(on, incident)["digest"]
        on.command("halt", reason="a drill")
        on.respond(event(on, ALSO, 2))
        closed = on.command("close", incident, digest=shown, closed_as="false_positive")
        between = phase(on, incident)
        once_resumed(on)
        agreed(on, incident)

        assert not closed.done
        assert between == "deferred"
        assert both_are_closed(on, incident)


def test_what_waits_for_a_halt_can_be_closed_by_who_has_seen_all_of_it(line: Lines) -> None:
    with line(policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        on.command("halt", reason="a drill")
        yes(on, incident)
        closed = on.close(incident, "false_positive")

        assert closed.done, closed.says
        assert phase(on, incident) == "closed"


@pytest.mark.parametrize("during", ["*/SetIamPolicy", "*/UpdateService"], ids=["the first write", "the last write"])
def test_an_event_that_comes_while_a_release_is_written_is_decided_after_it(line: Lines, during: str) -> None:
    """Its message is not acknowledged; what it tells was heard already."""
    with line(two_suspects(), policy=policy(PIN, REVOKE)) as on:
        incident = on.respond(event(on, BAD, 3))
        heard = []

        def comes() -> None:
            second = event(on, ALSO, 2)
            with pytest.raises(Transient):
                on.respond(second)
            heard.append(second)

        on.sandbox.wire.meanwhile(Meanwhile(during, comes))
        answered = on.release(incident)
        later = on.respond(heard[0])
        agreed(on, later)

        assert answered.done, answered.says
        assert "released" in answered.says
        assert phase(on, later) == "contained"
        assert ALSO not in on.reachable


def test_an_event_that_comes_to_a_plan_that_a_bar_stops_is_decided_before_that_ends_it(line: Lines) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        incident = cut_short(on, event(on, BAD, 3))
        deployed(on, ALWAYS, config="ceiling: monitor")
        delivered(on, event(on, ALSO, 2))
        on.wait(A_SWEEP_LATER)
        on.sweep()
        shown = now(on, incident)

        assert shown["phase"] == "monitored"
        assert all(one["decided"] for one in shown["events"])
        assert {BAD, ALSO} <= {*shown["decision"]["suspects"]}
        assert on.reachable.keys() >= {BAD, ALSO}


def test_an_event_beside_which_nobody_wrote_is_closed_with_its_incident_by_its_digest(line: Lines) -> None:
    """A message that comes and is decided before the word is carried out has made another question of it."""
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        first = asked(on, incident)["digest"]
        on.respond(event(on, ALSO, 2))
        stale = on.command("close", incident, digest=first, closed_as="benign")
        fresh = on.close(incident, "benign")

        assert not stale.done
        assert fresh.done, fresh.says
        assert GOOD not in on.reachable


def left_unanswered(on: Line, _: Incident) -> None:
    on.wait(HALF_AN_HOUR)
    on.sweep()


def another_event(on: Line, _: Incident) -> None:
    on.respond(event(on, BAD, 1))


def asked_for_again(on: Line, incident: Incident) -> None:
    on.retry(incident)


@pytest.mark.parametrize("happens", [left_unanswered, another_event, asked_for_again])
def test_what_only_a_passed_message_names_is_asked_about_until_somebody_answers(
    line: Lines, happens: Callable[[Line, Incident], None]
) -> None:
    with line(two_suspects(), policy=ALWAYS) as on:
        passed = event(on, ALSO, 3)
        incident = on.respond(event(on, BAD, 2))
        on.respond(passed)
        first = phase(on, incident), cautions(on, incident)
        happens(on, incident)
        second = phase(on, incident), cautions(on, incident)
        agreed(on, incident)

        assert first == second == ("waiting", {"passed", "contained"})
        assert both_are_closed(on, incident)


def test_nobody_is_asked_more_than_four_times_about_what_only_a_passed_message_names(line: Lines) -> None:
    """What is contained stays so."""
    with line(two_suspects(), policy=ALWAYS) as on:
        passed = event(on, ALSO, 3)
        incident = on.respond(event(on, BAD, 2))
        on.respond(passed)
        asked_four_times = []
        for _ in range(4):
            asked_four_times.append(phase(on, incident))
            left_unanswered(on, incident)

        assert asked_four_times == ["waiting"] * 4
        assert phase(on, incident) == "contained"
        assert "nobody answered" in now(on, incident)["history"][-1]["what"]


def test_what_waited_and_is_closed_before_a_sweep_takes_it_up_is_not_contained_first(line: Lines) -> None:
    """Only what came since is decided before a person's word is carried out."""
    with line(policy=ALWAYS) as on:
        on.command("halt", reason="a drill")
        incident = on.respond(event(on, BAD, 3))
        on.command("resume")
        on.wait(A_SWEEP_LATER)
        closed = on.close(incident, "false_positive")

        assert closed.done, closed.says
        assert phase(on, incident) == "closed"
        assert on.updates == ()


def test_an_event_that_was_heard_and_not_decided_is_decided_before_a_close(line: Lines) -> None:
    with line(two_suspects(), policy=APPROVED) as on:
        incident = on.respond(event(on, BAD, 3))
        shown = asked(on, incident)["digest"]
        second = event(on, ALSO, 2)
        on.app.ledger.hear(parse_notification(notification_v2(second)).finding)
        closed = on.command("close", incident, digest=shown, closed_as="false_positive")

        assert not closed.done
        assert phase(on, incident) == "waiting"
        assert ALSO in str(now(on, incident)["events"])


ENDS: Mapping[str, tuple[str, Callable[[Line, Incident], object]]] = {
    "released": (ALWAYS, lambda on, one: on.release(one)),
    "rejected": (APPROVED, lambda on, one: on.reject(one)),
    "closed": (APPROVED, lambda on, one: on.close(one, "benign")),
}


@pytest.mark.parametrize("told", [True, False], ids=["told again", "not told again"])
@pytest.mark.parametrize("how", ENDS)
def test_an_event_that_scc_comes_to_hold_after_its_incident_has_ended_is_decided(
    line: Lines,
    how: str,
    told: bool,  # noqa: FBT001 - a case
) -> None:
    """Its message came before: by that alone nothing was decided, and no person saw it."""
    policy, ends = ENDS[how]
    with line(two_suspects(), policy=policy) as on:
        on.sweep()
        incident = on.respond(event(on, BAD, 3))
        second = event(on, ALSO, 0.5, held=False)
        on.respond(second)
        ends(on, incident)
        ended = phase(on, incident)
        put_finding(on.world, second["finding"], second["resource"])
        if told:
            on.respond(second)
        on.wait(A_SWEEP_LATER)
        on.sweep()
        later = next(one.incident for one in on.app.ledger.newest(5) if one.incident.id != incident.id)
        agreed(on, later)

        assert ended == how
        assert phase(on, later) == "contained"
        assert ALSO not in on.reachable
