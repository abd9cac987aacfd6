"""What the vault keeps of an incident, over the wire: beside the containment and after it, and never in its way."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.findings.notification import parse_notification
from firebreak.core.incidents.evidence_record import EvidenceLocation
from firebreak.core.incidents.incident import Incident
from firebreak.core.serialization import decode, encode
from firebreak.ledger.documents import Save
from firebreak.ports.deadline import Deadline
from firebreak.response import pipeline
from firebreak.response.evidence.audit import audit
from firebreak.response.evidence.dead_letter import send_to_dead_letter
from sandbox.scc.notification_variants import muted
from sandbox.scc.notifications import malicious_binary_finding, notification_v2
from sandbox.wire import Fault
from sandbox.world import World
from tests.response.harness import BAD, SERVICE, Line, Lines, world_of

pytestmark = pytest.mark.thorough

BUCKET = {"FIREBREAK_EVIDENCE": "gs://evidence/firebreak"}
EVERYTHING = {
    *("finding.json", "iam_policy.json", "incident.json", "logs.json", "manifest.json", "message.json"),
    *("revisions.json", "service.json", "traffic.json", "virustotal.json"),
}


def world(**more: Any) -> World:
    return world_of(buckets=["evidence"], logs=[{"of": SERVICE, "at": "-2m", "text": "hello"}], **more)


def bodies(on: Line, incident: Incident) -> dict[str, Any]:
    """Every object of the incident, read as JSON."""
    return {name: json.loads(data) for name, data in objects(on, incident).items()}


def objects(on: Line, incident: Incident) -> Mapping[str, bytes]:
    vault, soon = on.app.vault, Deadline.after(5)
    return {name: vault.get(incident.id, name, soon) or b"" for name in vault.names(incident.id, soon)}


def kept(on: Line, incident: Incident) -> EvidenceLocation:
    found = on.read(incident).vault
    assert found is not None
    return found


def is_whole(on: Line, incident: Incident) -> bool:
    seal = on.app.ledger.seal
    return audit(on.app.vault, seal, incident.id, kept(on, incident), Deadline.after(5)).differences == ()


@pytest.mark.parametrize("environment", [{}, BUCKET], ids=["folder", "bucket"])
def test_a_contained_incident_keeps_everything_and_says_where(line: Lines, environment: dict[str, str]) -> None:
    """On the record and on the topic, with the manifest's hash, so that the vault cannot be changed unnoticed."""
    with line(world(), **environment) as on:
        incident = on.respond(on.finding())
        shown = on.announced[-1]["vault"]

        assert incident.phase == "contained"
        assert objects(on, incident).keys() == EVERYTHING
        assert shown["uri"] == f"{on.app.vault.uri}/{incident.id}"
        assert shown["sha256"] == hashlib.sha256(objects(on, incident)["manifest.json"]).hexdigest()
        assert shown["gaps"] == []
        assert is_whole(on, incident)


def test_settings_are_kept_as_they_were_before_the_containment(line: Lines) -> None:
    """Afterwards the cloud does not know them any more."""
    with line(world()) as on:
        incident = on.respond(on.finding())
        before = bodies(on, incident)

        assert BAD not in on.reachable
        assert before["traffic.json"]["content"]["trafficStatuses"][0]["revision"] == BAD
        assert before["service.json"]["content"]["template"]["serviceAccount"]
        assert before["iam_policy.json"]["content"]["bindings"][0]["members"] == ["allUsers"]
        assert len(before["revisions.json"]["content"]) == 3
        assert before["virustotal.json"]["content"][0]["answer"]["data"]["attributes"]
        assert before["finding.json"]["content"]["finding"]["category"] == incident.finding.category


def test_the_original_of_the_message_is_the_very_bytes_that_were_delivered(line: Lines) -> None:
    """Whoever has the message can show that it is the one."""
    with line(world()) as on:
        body = notification_v2(on.finding()) + b"\n \n"
        incident = on.respond(body)
        stated = bodies(on, incident)["message.json"]["original"]

        assert stated == {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "of": "the bytes as delivered"}


def test_the_write_is_made_before_anything_goes_into_the_vault(line: Lines) -> None:
    """A slow vault costs the announcement a moment, and the containment nothing."""
    with line(world(), **BUCKET) as on:
        on.sandbox.wire.delay("storage/*", 0.1)
        on.respond(on.finding())
        at = {call.method.rpartition("/")[2]: call.at for call in reversed(on.sandbox.wire.calls)}

        assert at["UpdateService"] < at["insert"]


@pytest.mark.parametrize("mode", ["approve", "monitor"])
def test_a_question_and_a_record_keep_their_evidence_too(line: Lines, mode: str) -> None:
    """Whoever is asked can look."""
    with line(world(), config=f"ceiling: {mode}") as on:
        incident = on.respond(on.finding())

        assert objects(on, incident).keys() == EVERYTHING


def test_what_is_declined_unread_keeps_the_message_and_asks_nobody(line: Lines) -> None:
    """There was nothing to read."""
    with line(world()) as on:
        incident = on.respond(notification_v2(muted(on.finding())))

        assert incident.phase == "declined"
        assert objects(on, incident).keys() == {"message.json", "incident.json", "manifest.json"}
        assert on.sandbox.wire.calls_to("*/ListFindings") == ()


def test_a_redelivery_adds_nothing(line: Lines) -> None:
    """The same content is there already."""
    with line(world()) as on:
        body = notification_v2(on.finding())
        incident = on.respond(body)
        before = objects(on, incident)
        on.respond(body)

        assert objects(on, incident) == before


def test_another_event_adds_further_versions_and_changes_none(line: Lines) -> None:
    """Each manifest names the one before it."""
    with line(world()) as on:
        incident = on.respond(on.finding(minutes_ago=2))
        before = objects(on, incident)
        joined = on.respond(on.finding(minutes_ago=1))
        after = objects(on, incident)

        assert joined.id == incident.id
        assert {name: after[name] for name in before} == before
        assert {"message.2.json", "service.2.json", "manifest.2.json"} <= after.keys()
        assert kept(on, incident).manifest == "manifest.2.json"
        assert "manifest.json" in {one["name"] for one in bodies(on, incident)["manifest.2.json"]["objects"]}
        assert is_whole(on, incident)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("storage/insert", "error", code="PERMISSION_DENIED", times=None),
        Fault("storage/*", "error", code="NOT_FOUND", times=None),
        Fault("storage/*", "error", code="INVALID_ARGUMENT", times=None),
    ],
    ids=["denied", "no bucket", "refused"],
)
def test_a_vault_that_refuses_is_a_gap_and_nothing_else(line: Lines, fault: Fault) -> None:
    """Contained, announced, acknowledged; and kept with the next delivery once the vault is there again."""
    with line(world(), **BUCKET) as on:
        on.sandbox.wire.inject(fault)
        body = notification_v2(on.finding())
        incident = on.respond(body)
        gaps = on.announced[-1]["vault"]["gaps"]
        again = on.respond(body)
        on.sandbox.wire.clear_faults()
        later = on.respond(body)

        assert incident.phase == again.phase == later.phase == "contained"
        assert len(on.updates) == 1
        assert any(gap.startswith("message: ") for gap in gaps)
        assert "gs://evidence/firebreak/" in on.announced[-1]["vault"]["uri"]
        assert kept(on, later).manifest
        assert kept(on, later).gaps == ("collected after the fact: the settings are those of now",)
        assert is_whole(on, later)


def test_a_vault_that_hangs_is_given_up_and_the_incident_is_told(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its own deadline, whatever is left of the budget."""
    monkeypatch.setattr("firebreak.response.evidence.collector.AT_MOST", 0.3)
    with line(world(), **BUCKET) as on:
        on.sandbox.wire.inject(Fault("storage/*", "hang", seconds=2, times=None))
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert on.announced[-1]["phase"] == "contained"
        assert kept(on, incident) == EvidenceLocation(
            f"{on.app.vault.uri}/{incident.id}", gaps=("the vault did not answer in time",)
        )


def test_a_source_without_an_answer_is_a_gap_of_the_evidence(line: Lines) -> None:
    """What is missing is named where people look for it."""
    with line(world(denied=["*/ListLogEntries", "*/GetIamPolicy"])) as on:
        incident = on.respond(on.finding())
        gaps = kept(on, incident).gaps

        assert any(gap.startswith("logs: PERMISSION_DENIED") for gap in gaps)
        assert "workload: the IAM policy could not be read" in gaps
        assert "logs.json" not in objects(on, incident)
        assert bodies(on, incident)["manifest.json"]["gaps"] == list(gaps)


def test_what_a_dead_attempt_left_is_taken_up_by_the_next(line: Lines) -> None:
    """The settings from before the write are kept by the first attempt, and named by the manifest of the second."""
    with line(world()) as on:
        body = notification_v2(on.finding())
        real = on.app.ledger.documents

        class Dies:
            """Saves until the vault is to be put on record, and then never more."""

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

            def commit(self, saves: Sequence[Save]) -> Any:
                sealed = [json.loads(one.body["sealed"]) for one in saves if one.kind == "incident"]
                if any(one.get("vault") is not None for one in sealed):
                    raise Transient(saves[0].key)
                return real.commit(saves)

        dying: Any = Dies()
        with pytest.raises(Transient):
            pipeline.respond(replace(on.app, ledger=replace(on.app.ledger, documents=dying)), body)
        incident = on.respond(body)
        found = bodies(on, incident)

        assert incident.phase == "contained"
        assert found["traffic.json"]["content"]["trafficStatuses"][0]["revision"] == BAD
        assert found["traffic.2.json"]["content"]["trafficStatuses"][0]["revision"] != BAD
        assert kept(on, incident).manifest == "manifest.2.json"
        assert is_whole(on, incident)


def test_what_a_stranger_put_there_is_named_and_not_taken_for_ours(line: Lines) -> None:
    """Nor does it keep ours from being kept."""
    with line(world()) as on:
        body = notification_v2(on.finding())
        incident = on.respond(body)
        (Path(kept(on, incident).uri.removeprefix("file://")) / "planted.json").write_text("{}")
        joined = on.respond(on.finding(minutes_ago=0.5))

        assert joined.id == incident.id
        assert "planted.json: it lies in the vault, and Firebreak did not put it there" in kept(on, joined).gaps
        assert "message.2.json" in objects(on, joined)
        assert not is_whole(on, joined)


def test_records_from_before_the_vault_still_load() -> None:
    """They have no such field, which means that nothing is kept."""
    finding = parse_notification(notification_v2(malicious_binary_finding())).finding
    stored = encode(Incident("fb-1", "declined", 0, 0, finding))
    del stored["vault"]

    assert decode(Incident, stored).vault is None


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("enveloped", [True, False])
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda text: _encoded(_encoded(text)),
        lambda text: base64.encodebytes(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
        lambda text: json.dumps({"a": json.dumps({"b": json.dumps([json.loads(text)])})}),
        lambda text: json.dumps({"a": _encoded(json.dumps({"b": _encoded(text)}))}),
    ],
    ids=["twice", "in lines", "for addresses", "JSON in JSON in JSON", "base64 in JSON in base64"],
)
def test_no_secret_of_an_unreadable_message_is_kept_however_it_is_wrapped(
    line: Lines, tmp_path: Path, wrapped: Any, enveloped: Any
) -> None:
    """The copy shows what was within, without it."""
    secret = "S3cr" + "3tV4lueOfX9"
    text = wrapped(json.dumps({"value": secret, "name": "DB_PASSWORD", "of": "checkout >>>???" * 9}))
    with line() as on:
        send_to_dead_letter(
            on.app, {"message": {"data": _encoded(text)}} if enveloped else {"body": text}, "unreadable"
        )
        kept = next((tmp_path / "firebreak" / "evidence" / "unreadable").glob("*.json")).read_text()

    assert "[redacted value]" in kept
    assert secret not in kept
