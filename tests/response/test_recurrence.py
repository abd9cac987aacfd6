"""What earlier incidents on a workload, and people's words on them, tell policies."""

from __future__ import annotations

import pytest

from firebreak.core.timestamps import NANOS
from tests.response.harness import Line, Lines


def facts_of(on: Line, incident_id: str) -> dict[str, object]:
    held = on.app.ledger.read(incident_id)
    assert held is not None
    return dict(next(one.facts for one in held.incident.evidence if one.source == "recurrence"))


def test_a_first_incident_has_no_history_and_says_so(line: Lines) -> None:
    with line() as on:
        incident = on.respond(on.finding())

        assert facts_of(on, incident.id) == {
            "recurrence.count": 0,
            "recurrence.closed_as": (),
            "recurrence.severity_changed": False,
        }


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


def test_a_further_event_of_an_open_incident_does_not_count_that_incident_as_another(line: Lines) -> None:
    with line(config="ceiling: approve") as on:
        first = on.respond(on.finding(minutes_ago=3))
        joined = on.respond(on.finding(minutes_ago=1))

        assert joined.id == first.id
        assert facts_of(on, first.id)["recurrence.count"] == 0


@pytest.mark.parametrize(
    ("severities", "changed"),
    [(["HIGH"], False), (["HIGH", "HIGH"], False), (["HIGH", "CRITICAL"], True), (["LOW", "HIGH", "HIGH"], True)],
)
@pytest.mark.parametrize("ceiling", ["monitor", "approve"])
def test_whether_scc_changed_the_severity_is_told_by_earlier_events(
    line: Lines, severities: list[str], ceiling: str, *, changed: bool
) -> None:
    """In the same incident, or in one of before; it was another one once, and stays so."""
    with line(config=f"ceiling: {ceiling}") as on:
        told = [on.respond(on.finding(minutes_ago=5 - at, severity=one)) for at, one in enumerate(severities)]

        assert facts_of(on, told[-1].id)["recurrence.severity_changed"] is changed


def test_a_severity_that_only_a_message_tells_changes_nothing(line: Lines) -> None:
    """Whoever can publish could tell of an earlier event with any severity."""
    with line(config="ceiling: approve") as on:
        on.respond(on.finding(minutes_ago=5, severity="LOW", held=False))
        incident = on.respond(on.finding(minutes_ago=1, severity="HIGH"))

        assert facts_of(on, incident.id)["recurrence.severity_changed"] is False
