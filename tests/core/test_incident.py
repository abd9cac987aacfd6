"""Incidents: bounded, and the same after storage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.containment.plan import SUCCESS, Outcome, Plan
from firebreak.core.containment.review import Drift
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.announcement import Announcement
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import LONGEST_HISTORY, MOST_EVENTS, Incident, Wait
from firebreak.core.incidents.question import Question
from firebreak.core.incidents.release import Release
from firebreak.core.mode import Cap, Mode
from firebreak.core.serialization import decode, encode

FINDING = parse_notification((Path(__file__).parent.parent / "findings" / "v2.json").read_bytes()).finding


def test_history_keeps_its_beginning_and_its_end() -> None:
    """And says that there was more."""
    incident = Incident("fb-1", "received", 0, 0, FINDING)
    for number in range(3 * LONGEST_HISTORY):
        incident = incident.with_history(number, "firebreak", f"line {number}")

    assert len(incident.history) == LONGEST_HISTORY
    assert incident.history[0].what == "line 0"
    assert incident.updated_ns == 3 * LONGEST_HISTORY - 1
    assert incident.history[-1].what == f"line {3 * LONGEST_HISTORY - 1}"
    assert sum("dropped" in entry.what for entry in incident.history) == 1


def test_an_incident_survives_storage() -> None:
    """What is saved comes back equal."""
    incident = (
        Incident("fb-1", "received", 0, 0, FINDING)
        .with_history(1, "ada", "looked")
        .with_announcements(("log", "topic"))
    )

    assert decode(Incident, encode(incident)) == incident


def test_announcements_are_numbered_within_the_incident() -> None:
    """So that their ids are stable."""
    incident = (
        Incident("fb-1", "received", 0, 0, FINDING).with_announcements(("log", "topic")).with_announcements(("log",))
    )

    assert [(one.number, one.channel) for one in incident.outbox] == [(1, "log"), (1, "topic"), (2, "log")]


OWN = Target("shop", "l", "service", "svc", project_id="shop", project_number="1")
ELSEWHERE = replace(OWN, location="m")
OPEN = Incident("fb-1", "received", 0, 5, replace(FINDING, target=OWN))
PLAN = Plan((), (), policy_set="a")
UNREAD = replace(FINDING, target=NotATarget("why"))
NEW = Event("e-1", 1, 2)
COUNTS = replace(NEW, status="counts", decided=True)
UNCONFIRMED = replace(NEW, status="unconfirmed")


def decision(*caps: str) -> Decision:
    made = tuple(Cap(name, "bar", "why") for name in caps)
    return Decision("p", Mode.MONITOR, Mode.ENFORCE, made, (), (), "", "")


def test_an_incident_has_room_for_a_hundred_events() -> None:
    assert not replace(OPEN, events=(NEW,) * (MOST_EVENTS - 1)).full
    assert replace(OPEN, events=(NEW,) * MOST_EVENTS).full


def test_a_plan_is_begun_once_something_of_this_very_plan_was_tried() -> None:
    tried = Outcome("service", SUCCESS, "", plan=PLAN.digest)

    assert replace(OPEN, plan=PLAN, outcomes=(tried,)).begun
    assert not replace(OPEN, plan=PLAN, outcomes=(replace(tried, plan="another"),)).begun
    assert not replace(OPEN, outcomes=(tried,)).begun
    anew = replace(OPEN, outcomes=(tried, replace(tried, plan="another"))).with_plan(PLAN)
    assert not anew.begun
    assert (anew.plan, [one.plan for one in anew.outcomes]) == (PLAN, ["earlier", "another"])


def test_a_containment_stands_while_the_incident_that_carried_it_out_is_open() -> None:
    assert replace(OPEN, done=PLAN).stands
    assert not OPEN.stands
    assert not replace(OPEN, done=PLAN, phase="released").stands


@pytest.mark.parametrize(
    ("changes", "reopens"),
    [
        ({"phase": "declined"}, True),
        ({"phase": "declined", "decision": decision()}, False),
        ({"phase": "declined", "decision": decision(), "waits": Wait("settled", "muted", 1)}, True),
        ({"phase": "contained", "decision": decision(), "waits": Wait("settled", "muted", 1)}, True),
        ({"phase": "contained"}, False),
        ({"phase": "deferred", "waits": Wait("halt", "halted", 1)}, False),
        ({"phase": "rejected"}, False),
    ],
)
def test_what_was_given_up_for_what_may_pass_is_opened_again(changes: dict[str, Any], *, reopens: bool) -> None:
    assert replace(OPEN, **changes).reopens is reopens


@pytest.mark.parametrize(
    ("changes", "believed"),
    [
        ({"events": (COUNTS,)}, True),
        ({"events": (NEW, UNCONFIRMED)}, False),
        ({"events": (UNCONFIRMED,), "done": PLAN}, True),
        ({}, True),
        ({"events": (COUNTS,), "decision": decision("stale")}, True),
        ({"events": (COUNTS,), "decision": decision("source")}, False),
        ({"done": PLAN, "decision": decision("stale", "source")}, False),
    ],
)
def test_others_go_by_an_incident_that_was_confirmed_and_is_of_a_listed_source(
    changes: dict[str, Any], *, believed: bool
) -> None:
    """One of an earlier version has no events: its seal vouches for it."""
    assert replace(OPEN, **changes).believed is believed


@pytest.mark.parametrize(
    ("event", "undecided"),
    [(NEW, True), (replace(COUNTS, decided=False), True), (COUNTS, False), (UNCONFIRMED, False)],
)
def test_an_event_is_undecided_until_a_decision_was_taken_with_it_unless_scc_does_not_hold_it(
    event: Event, *, undecided: bool
) -> None:
    incident = replace(OPEN, events=(COUNTS, event))

    assert incident.undecided is undecided
    assert not incident.with_events_decided().undecided
    assert incident.counting == tuple(one.id for one in incident.events if one.status == "counts")


def test_an_event_that_a_question_was_about_is_not_asked_about_by_itself_again() -> None:
    asked = Question("d", 0, 1, ("unplaced:e-2", "ceiling"))
    events = tuple(replace(NEW, id=name, answered=name == "e-1") for name in ("e-1", "e-2", "e-3"))
    incident = replace(OPEN, events=events)

    answered = replace(incident, question=asked).with_answered_events()
    assert [one.answered for one in answered.events] == [True, True, False]
    assert incident.with_answered_events() == incident


def test_only_events_that_count_make_suspects() -> None:
    theirs = replace(UNCONFIRMED, suspects={OWN.key: ("r-2",)})
    mine = replace(COUNTS, suspects={OWN.key: ("r-1",), ELSEWHERE.key: ("r-3",)})

    assert replace(OPEN, events=(mine, theirs)).suspects_on(OWN) == {"r-1"}


@pytest.mark.parametrize(
    ("release", "under_way"),
    [
        (None, False),
        (Release("ada"), True),
        (Release("ada", over=True), False),
        (Release("ada", digest="shown"), False),
        (Release("ada", rests=True), False),
    ],
)
def test_a_release_is_under_way_until_it_is_over_or_waits_for_a_person(
    release: Release | None, *, under_way: bool
) -> None:
    assert replace(OPEN, release=release).releasing is under_way


def test_a_target_is_held_once_and_the_finding_s_own_comes_first() -> None:
    third = replace(OWN, location="n")
    held = OPEN.with_target(ELSEWHERE).with_target(ELSEWHERE).with_target(OWN).with_target(third)

    assert held.further == (ELSEWHERE, third)
    assert held.targets == (OWN, ELSEWHERE, third)
    assert [held.place_of(one) for one in held.targets] == ["", "m: ", "n: "]
    assert replace(held, finding=UNREAD).targets == held.further
    assert replace(held, finding=UNREAD).place_of(ELSEWHERE) == "m: "


def test_each_target_has_the_uid_that_was_kept_of_it() -> None:
    known = replace(OPEN, uid="u-1", uids={OWN.key: "u-9", ELSEWHERE.key: "u-2"})

    assert [known.uid_of(one) for one in (OWN, ELSEWHERE, replace(OWN, name="x"))] == ["u-1", "u-2", ""]
    assert replace(known, finding=UNREAD).uid_of(ELSEWHERE) == "u-2"


UNSENT = Announcement(1, "log", "contained", again_ns=30)
RESTS = replace(OPEN, phase="contained")


@pytest.mark.parametrize(
    ("incident", "due_ns"),
    [
        (OPEN, 5),
        (replace(OPEN, lease_until_ns=9), 9),
        (RESTS, None),
        (replace(RESTS, events=(NEW,)), 5),
        (replace(RESTS, release=Release("ada")), 5),
        (replace(RESTS, next_ns=40), 40),
        (replace(RESTS, next_ns=40, outbox=(UNSENT,)), 30),
        (replace(RESTS, next_ns=40, outbox=(replace(UNSENT, sent=True),)), 40),
        (replace(RESTS, outbox=(replace(UNSENT, again_ns=0),)), 5),
        (replace(RESTS, next_ns=40, events=(replace(UNCONFIRMED, again_ns=20),)), 20),
        (replace(RESTS, next_ns=40, events=(replace(UNCONFIRMED, again_ns=20, decided=True),)), 40),
        (replace(RESTS, phase="closed", events=(replace(UNCONFIRMED, again_ns=20),)), None),
    ],
)
def test_the_sweep_looks_at_once_at_unfinished_work_and_else_at_what_is_due_first(
    incident: Incident, due_ns: int | None
) -> None:
    assert incident.due_ns == due_ns


def test_a_reminder_is_of_one_question_and_overtaken_by_another() -> None:
    asked = replace(OPEN, phase="waiting", question=Question("d-1", 0, 1, ()))
    reminded = asked.with_reminder(1, ("log", "chat"), 50).with_reminder(1, ("log",), 60)

    assert [(one.channel, one.again_ns, one.about) for one in reminded.outbox] == [
        ("log", 50, "d-1"),
        ("chat", 50, "d-1"),
    ]
    sent = reminded.mark_sent(reminded.outbox[0])
    assert len(sent.with_reminder(1, ("log",), 60).outbox) == 3
    escalated = sent.with_reminder(2, ("log",), 60)
    assert escalated.mark_sent(escalated.outbox[-1]).with_reminder(2, ("log",), 70).outbox[:-1] == escalated.outbox[:-1]
    assert not any(map(reminded.is_overtaken, reminded.outbox))
    anew = replace(reminded, question=Question("d-2", 0, 1, ()))
    assert all(map(anew.is_overtaken, anew.outbox))
    assert all(map(replace(reminded, phase="rejected").is_overtaken, reminded.outbox))
    assert anew.with_announcements(("log",)).unsent == 1
    assert reminded.with_announcements(("log",)).unsent == 3
    assert not OPEN.is_overtaken(UNSENT)
    assert not asked.is_overtaken(UNSENT)


def test_what_others_opened_is_told_of_every_target_until_it_is_as_it_was_left() -> None:
    both = OPEN.with_drift("a", Drift("changed", ("r-2",))).with_drift("b", Drift("changed", ("r-1", "r-2")))

    assert both.reopened == ("r-1", "r-2")
    assert both.with_drift("b", None).reopened == ("r-2",)
    assert both.with_drift("a", None).with_drift("b", None).drift == {}


def test_what_failed_on_one_target_has_its_otherwise_there_alone() -> None:
    """What an earlier version did not say of a target counts on all of them."""
    failed = replace(OPEN, failed_on={OWN.key: ("pin",)})

    assert failed.failed_for(OWN) == {"pin"}
    assert failed.failed_for(ELSEWHERE) == set()
    assert failed.failed_for(OWN, ELSEWHERE) == {"pin"}
    assert replace(failed, failed_actions=("cut",)).failed_for(ELSEWHERE) == {"cut"}
