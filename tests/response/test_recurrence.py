"""What earlier incidents on a workload, and people's words on them, tell policies."""

from __future__ import annotations

import copy
import json

import pytest

from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Save
from tests.response.harness import KNOWN, Line, Lines
from tests.response.intruder import Intruder, record_of, with_record


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


def test_a_message_that_tells_another_severity_than_scc_holds_is_no_change(line: Lines) -> None:
    with line(config="ceiling: approve") as on:
        pair = copy.deepcopy(on.finding(severity="HIGH"))
        pair["finding"]["severity"] = "LOW"
        incident = on.respond(pair)

        assert incident.finding.severity == "HIGH"
        assert facts_of(on, incident.id)["recurrence.severity_changed"] is False


NEW_FILES = """
id: new-files
mode: enforce
when: {finding.category: "Execution: Added Malicious Binary Executed", recurrence.file_known: false}
then: [{action: pin_previous_revision}]
examples:
  - {given: {}, expect: {mode: enforce}}
  - {given: {recurrence: unknown}, expect: {mode: approve}}
"""
OTHER = "ab" * 32


def test_whether_a_file_was_met_before_is_told_by_other_findings_alone(line: Lines) -> None:
    """A further event of the same finding does not make its file a known one, nor does another file."""
    with line(config="ceiling: approve", policy=NEW_FILES) as on:
        told = [
            on.respond(on.finding(finding_id=finding, minutes_ago=9 - at, sha256=sha256))
            for at, (finding, sha256) in enumerate(
                [("one", KNOWN), ("one", KNOWN), ("two", OTHER), ("three", KNOWN), ("four", OTHER)]
            )
        ]

        assert [facts_of(on, one.id)["recurrence.file_known"] for one in told[1:]] == [False, False, True, True]


def test_a_file_that_only_a_message_tells_of_is_not_known_by_that(line: Lines) -> None:
    with line(config="ceiling: approve", policy=NEW_FILES) as on:
        on.respond(on.finding(finding_id="one", minutes_ago=9, held=False))
        incident = on.respond(on.finding(finding_id="two"))

        assert facts_of(on, incident.id)["recurrence.file_known"] is False


def test_nothing_is_looked_through_where_no_policy_asks_for_it(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    with line(config="ceiling: approve") as on:
        monkeypatch.setattr(type(on.app.ledger), "listed", lambda *_: pytest.fail("read for nothing"))
        incident = on.respond(on.finding())

        assert "recurrence.file_known" not in facts_of(on, incident.id)


@pytest.mark.parametrize(("most", "days", "known"), [(2, 0, None), (3, 0, False), (2, 91, False)])
def test_whether_a_file_was_met_is_unknown_where_not_all_incidents_were_read(
    line: Lines, monkeypatch: pytest.MonkeyPatch, most: int, days: int, known: object
) -> None:
    """Two others and its own are there; after a few in a row that did not change in the window no more is read."""
    monkeypatch.setattr("firebreak.bootstrap.MOST_LOOKED_THROUGH", most + 1)
    monkeypatch.setattr("firebreak.bootstrap._OLD_IN_A_ROW", 2)
    with line(config="ceiling: approve", policy=NEW_FILES) as on:
        for finding in ("one", "two"):
            on.respond(on.finding(finding_id=finding, sha256=OTHER))
        on.skipped_ns += days * 86_400 * NANOS
        incident = on.respond(on.finding(finding_id="three", minutes_ago=1 - days * 24 * 60))

        assert facts_of(on, incident.id).get("recurrence.file_known") is known


MET_FILES = NEW_FILES.replace("file_known: false", "file_known: true")


def test_a_file_that_somebody_without_the_seal_key_wrote_into_a_record_leads_to_no_write(line: Lines) -> None:
    """Nor is what that record hides known: a person is asked."""
    with line(policy=MET_FILES) as on:
        intruder = Intruder(on)
        stored = intruder.reads("incident", on.respond(on.finding(finding_id="one", sha256=OTHER)).id)
        forged = json.loads(json.dumps(record_of(stored.body)).replace(OTHER, KNOWN))
        intruder.writes(stored, with_record(stored.body, forged))
        incident = on.respond(on.finding(finding_id="two"))

        assert "recurrence.file_known" not in facts_of(on, incident.id)
        assert (incident.phase, on.updates) == ("waiting", ())


@pytest.mark.parametrize("lease", [True, False], ids=["its time of change", "a save of what is long over"])
def test_no_touched_record_hides_that_a_file_was_met(line: Lines, *, lease: bool) -> None:
    """When a record changed is told by what is under its seal, and one old record is not the end of the new ones."""
    with line(config="ceiling: approve", policy=NEW_FILES) as on:
        old = on.respond(on.finding(finding_id="old", sha256=OTHER)).id
        on.skipped_ns += 91 * 86_400 * NANOS
        met = on.respond(on.finding(finding_id="one", minutes_ago=1 - 91 * 24 * 60)).id
        documents = on.app.ledger.documents
        stored = documents.read("incident", met if lease else old)
        assert stored is not None
        body = {**stored.body, "lease": {"updated_ns": 1}} if lease else stored.body
        documents.commit([Save("incident", stored.key, body, stored.index, stored)])
        incident = on.respond(on.finding(finding_id="two", minutes_ago=1 - 91 * 24 * 60))

        assert facts_of(on, incident.id)["recurrence.file_known"] is True


def test_a_record_of_the_workload_whose_seal_is_broken_tells_nothing_and_is_not_passed_over(line: Lines) -> None:
    with line(config="ceiling: approve") as on:
        first = on.respond(on.finding(finding_id="first"))
        documents = on.app.ledger.documents
        stored = documents.read("incident", first.id)
        assert stored is not None
        forged = with_record(stored.body, {**record_of(stored.body), "closed_as": "benign", "phase": "closed"})
        documents.commit([Save("incident", stored.key, forged, stored.index, stored)])
        second = on.respond(on.finding(finding_id="second"))
        told = next(one for one in second.evidence if one.source == "recurrence")

        assert (told.facts, told.gap) == (
            {},
            "an earlier incident on this workload cannot be read, or its seal is broken",
        )
