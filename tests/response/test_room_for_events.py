"""However many events are told of a finding, each that SCC confirms is decided: none crowds out another."""

from __future__ import annotations

import copy

import pytest

from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.incident import MOST_EVENTS, Incident
from sandbox.scc.notifications import Pair, notification_v2
from tests.response.answers import cautions, delivered, phase
from tests.response.harness import ALWAYS, BAD, GOOD, Line, Lines
from tests.response.roads import A_SWEEP_LATER
from tests.response.test_events_together import event


def crowd(on: Line, pair: Pair, year: int) -> None:
    """As many events of that year as an incident takes, and one more, heard at once; SCC holds none of them."""
    for number in range(MOST_EVENTS + 1):
        told = copy.deepcopy(pair)
        told["finding"]["eventTime"] = f"{year}-01-01T00:00:00.{number:06d}Z"
        on.app.ledger.hear(parse_notification(notification_v2(told)).finding)


def deciding(on: Line, pair: Pair) -> Incident:
    """The incident that has decided this event, which SCC holds."""
    event_id = parse_notification(notification_v2(pair)).finding.incident_id
    held = [one.incident for one in on.app.ledger.newest(10)]
    found = ((one, event) for one in held for event in one.events if event.id == event_id)
    return next(one for one, event in found if event.decided and event.status == "counts")


@pytest.mark.parametrize("year", [2035, 1999], ids=["that are to come", "that are long past"])
def test_a_crowd_of_events_that_scc_does_not_hold_keeps_no_real_one_from_its_decision(line: Lines, year: int) -> None:
    """It names what would have taken over, so that a person is asked."""
    with line(policy=ALWAYS) as on:
        first = event(on, BAD, 3)
        on.respond(first)
        crowd(on, first, year)
        second = event(on, GOOD, 0.2)
        taken = delivered(on, second)
        incident = deciding(on, second)

        assert taken
        assert phase(on, incident) == "waiting"
        assert "contained" in cautions(on, incident)
        assert set(on.reachable) == {GOOD}


def test_a_crowd_that_comes_first_keeps_no_real_event_from_being_contained(line: Lines) -> None:
    """The record of what is full says what becomes of those that come then."""
    with line(policy=ALWAYS) as on:
        pair = event(on, BAD, 1)
        crowd(on, pair, 2035)
        taken = delivered(on, pair)
        incident = deciding(on, pair)
        full = next(one.incident for one in on.app.ledger.newest(10) if len(one.incident.events) == MOST_EVENTS)

        assert taken
        assert phase(on, incident) == "contained"
        assert set(on.reachable) == {GOOD}
        assert "a further one begins another incident" in "\n".join(one.what for one in full.history)


def test_of_many_true_events_the_last_one_is_decided_as_the_first(line: Lines) -> None:
    """SCC dates a finding anew for as long as the attack goes on; the last one names what took over."""
    with line(policy=ALWAYS) as on:
        on.respond(event(on, BAD, 55))
        many = [event(on, BAD, 54 - number / 2) for number in range(MOST_EVENTS)]
        for pair in many:
            on.app.ledger.hear(parse_notification(notification_v2(pair)).finding)
        on.respond(many[-1])
        last = event(on, GOOD, 0.2)
        on.respond(last)
        incident = deciding(on, last)
        for _ in range(2):
            on.wait(A_SWEEP_LATER)
            on.sweep()
        held = [one.incident for one in on.app.ledger.newest(10)]

        assert phase(on, incident) == "waiting"
        assert "contained" in cautions(on, incident)
        assert not any(one.undecided for one in held)
        assert sum(len(one.events) for one in held) == MOST_EVENTS + 2
