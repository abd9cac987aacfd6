"""A storm on one service: what each incident reads of the others does not grow with how many there are."""

from __future__ import annotations

from collections import Counter

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import NotActedOn, Record, StoredIncident, incident_in, index_of
from firebreak.response.readings import Readings
from tests.response.harness import BAD, GOOD, Line, Lines
from tests.response.test_evidence_kept import bodies
from tests.response.test_related_findings import many


def contained(on: Line, number: int) -> Incident:
    return on.respond(on.finding(finding_id=f"{number:032x}"))


def disputes(on: Line, incident: Incident) -> dict[str, bool]:
    """The incidents on the same workload, and whether each can be believed, to an incident that looks now."""
    found = on.app.ledger.about(incident.targets[0], 10)
    return {key: not isinstance(one, NotActedOn) and bool(one.sealed) for key, one in found}


def test_a_record_that_has_not_changed_is_opened_once_by_a_process_however_many_incidents_come(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Counter[str]()

    def counted(record: Record) -> StoredIncident:
        opened[record.document.key] += 1
        return incident_in(record)

    monkeypatch.setattr("firebreak.ledger.neighbours.incident_in", counted)
    with line() as on:
        found = [contained(on, number) for number in range(5)]

        assert {one.phase for one in found} == {"contained"}
        assert all(opened[one.id] <= 2 for one in found)  # while it is at work, and as it came to rest


def test_a_record_put_under_a_seal_that_was_checked_already_is_not_gone_by(line: Lines) -> None:
    """Whoever has no key can put any text there; what the seal is of is what counts."""
    with line() as on:
        incident = contained(on, 1)
        assert disputes(on, incident) == {incident.id: True}
        document = on.app.ledger.documents.read("incident", incident.id)
        assert document is not None
        text = str(document.body["sealed"]).replace(BAD, GOOD)
        forged = {**document.body, "sealed": text}
        on.app.ledger.documents.replace(document, forged, index_of(incident))
        held = dict(on.app.ledger.about(incident.targets[0], 10))[incident.id]

        assert not isinstance(held, NotActedOn)
        assert set().union(*held.suspicions.suspects.values()) == {BAD}


def test_an_older_record_that_is_put_back_is_not_believed_though_its_seal_was_checked(line: Lines) -> None:
    with line() as on:
        incident = contained(on, 1)
        before = on.app.ledger.documents.read("incident", incident.id)
        assert disputes(on, incident) == {incident.id: True}
        on.close(incident, "true_positive")
        now = on.app.ledger.documents.read("incident", incident.id)
        assert before is not None
        assert now is not None
        on.app.ledger.documents.replace(now, before.body, index_of(incident))

        assert disputes(on, incident) == {incident.id: False}


def test_of_many_related_findings_the_vault_has_the_newest_whole_and_the_names_of_the_others(line: Lines) -> None:
    with line() as on:
        many(on, "services/checkout", 120, source="5678")
        incident = contained(on, 1)
        content = bodies(on, incident)["related.json"]["content"]

        assert len(content) == 120
        assert Counter(isinstance(one, str) for one in content) == {False: 100, True: 20}
        assert "/findings/" in content[-1]


def test_what_is_contained_while_a_finding_s_settings_are_read_is_joined_and_nobody_is_asked(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stood when it began to look, and the suspect is out of reach when it has looked."""
    with line() as on:
        pairs = [on.finding(finding_id=f"{number:032x}") for number in range(2)]
        reads = Readings.workload_beside

        def contained_meanwhile(own: Readings, target: Target, standing: Standing | None) -> Workload:
            if len(pairs) == 2:
                assert on.respond(pairs.pop(0)).phase == "contained"
                own._known.pop(target.key, None)  # noqa: SLF001 - the answer of the service comes after that
            return reads(own, target, standing)

        monkeypatch.setattr(Readings, "workload_beside", contained_meanwhile)
        incident = on.respond(pairs[-1])

        assert incident.phase == "contained"
        assert len(on.updates) == 1
