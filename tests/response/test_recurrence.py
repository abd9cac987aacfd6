"""What earlier incidents on a workload, and people's words on them, tell policies."""

from __future__ import annotations

from firebreak.core.timestamps import NANOS
from tests.response.harness import Line, Lines


def facts_of(on: Line, incident_id: str) -> dict[str, object]:
    held = on.app.ledger.read(incident_id)
    assert held is not None
    return dict(next(one.facts for one in held.incident.evidence if one.source == "recurrence"))


def test_a_first_incident_has_no_history_and_says_so(line: Lines) -> None:
    with line() as on:
        incident = on.respond(on.finding())

        assert facts_of(on, incident.id) == {"recurrence.count": 0, "recurrence.closed_as": ()}


def test_what_people_closed_earlier_incidents_as_is_told(line: Lines) -> None:
    """Counted on this workload alone, without the incident itself."""
    with line(config="ceiling: approve") as on:
        first = on.respond(on.finding(finding_id="first"))
        on.close(first, "false_positive", "our own scanner")
        second = on.respond(on.finding(finding_id="second"))
        facts = facts_of(on, second.id)

        assert facts["recurrence.count"] == 1
        assert facts["recurrence.closed_as"] == ("false_positive",)


def test_incidents_of_long_ago_do_not_count(line: Lines) -> None:
    with line(config="ceiling: approve") as on:
        first = on.respond(on.finding(finding_id="first"))
        on.close(first, "benign")
        on.skipped_ns += 91 * 86_400 * NANOS
        second = on.respond(on.finding(finding_id="second", minutes_ago=-91 * 24 * 60 + 1))

        assert facts_of(on, second.id)["recurrence.count"] == 0
