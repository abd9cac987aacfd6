"""Incidents: bounded, and the same after storage."""

from __future__ import annotations

from pathlib import Path

from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.incident import LONGEST_HISTORY, Incident
from firebreak.core.serialization import decode, encode

FINDING = parse_notification((Path(__file__).parent.parent / "findings" / "v2.json").read_bytes()).finding


def test_history_keeps_its_beginning_and_its_end() -> None:
    """And says that there was more."""
    incident = Incident("fb-1", "received", 0, 0, FINDING)
    for number in range(3 * LONGEST_HISTORY):
        incident = incident.with_history(number, "firebreak", f"line {number}")

    assert len(incident.history) == LONGEST_HISTORY
    assert incident.history[0].what == "line 0"
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
