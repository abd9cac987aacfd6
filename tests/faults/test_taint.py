"""Secrets and control characters planted in all that comes from outside reach nothing that Firebreak shows or keeps."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.adapters.log import log_json
from firebreak.cli import main as cli
from firebreak.core.channels import channel, kinds
from firebreak.core.errors import Malformed, Transient
from firebreak.core.findings.file_report import FileReport, read_report
from firebreak.core.incidents.incident import Incident
from firebreak.core.messages.composing import compose
from firebreak.core.messages.delivery import Address
from firebreak.core.secrets.redaction import safe, safe_value
from firebreak.response.evidence.dead_letter import send_to_dead_letter
from sandbox.scc.notifications import malicious_binary_finding, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.wire import Fault
from sandbox.world import World
from tests.faults.secrets_planted import CONTROLS, SECRETS, TAINT, TELLTALES, changed, everywhere, texts_of
from tests.response.harness import ALWAYS, KNOWN, SERVICE, TOPIC, Line, Lines, world_of

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
IDENTITY = frozenset(
    (
        *("name", "canonicalName", "parent", "resourceName", "category", "eventTime", "createTime", "state", "mute"),
        *("findingClass", "severity", "project", "organization", "parentDisplayName", "projectDisplayName", "folders"),
        *("sha256", "size", "hashedSize", "imageId", "resourcePath", "resourcePathString", "type", "cloudProvider"),
        *("mitreAttack", "pid", "parentPid", "service", "location", "securityMarks"),
    )
)
"""What must stay as it is for a finding to lead to a containment; test_every_field changes these one by one."""
REPORT = {
    "malicious": 48,
    "label": f"trojan {SECRETS['GitHub token']} {CONTROLS}",
    "families": [f"xmrig {CONTROLS}", *SECRETS.values()],
    "attributes": {"tags": list(SECRETS.values()), "meaningful_name": TAINT, "names": [TAINT]},
}


def tainted_world(**more: Any) -> World:
    """Secrets in environment, labels and annotations of service and revisions, in the file report and in the logs."""
    logs = [
        {"of": SERVICE, "at": "-2m", "text": TAINT},
        {"of": SERVICE, "json": {"message": TAINT, "token": "Hun7er2"}},
    ]
    world = world_of(hashes={KNOWN: REPORT}, logs=logs, **more)
    texts = (*SECRETS.values(), CONTROLS.replace("\x00", ""))
    local: Any = world.service("checkout")
    for one in (local.service, *local.revisions):
        one.labels = {f"l{number}": text for number, text in enumerate(texts)}
        one.annotations = {f"a{number}": text for number, text in enumerate(texts)}
    for holder in (local.service.template, *local.revisions):
        holder.containers[0].env = [{"name": f"E{number}", "value": text} for number, text in enumerate(texts)]
        holder.containers[0].args = list(texts)
    return world


class Outputs:
    """All that a line has told or kept."""

    def __init__(self, line: Line, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        line.app = replace(line.app, log=log_json)
        self._line, self._folder, self._capsys = line, folder, capsys

    def screens(self, monkeypatch: pytest.MonkeyPatch, incident: str) -> Iterator[tuple[str, str]]:
        """What the command line shows of it."""
        monkeypatch.setenv("FIREBREAK_LEDGER", self._line.app.settings.ledger)
        monkeypatch.setenv("XDG_STATE_HOME", str(self._folder))
        for words in (("show", incident), ("list",), ("show", incident, "--json"), ("list", "--json")):
            self._capsys.readouterr()
            assert cli.main(("incident", *words)) == 0
            said = self._capsys.readouterr()
            yield " ".join(words), said.out + said.err
        logging.disable(logging.NOTSET)

    def kept(self) -> Iterator[tuple[str, str]]:
        """What was announced, logged, marked and stored so far."""
        said = self._capsys.readouterr()
        yield "log", said.out + said.err
        for message in self._line.world.topics.get(TOPIC, []):
            yield "topic", str(message["data"])
            yield "attributes", json.dumps(message["attributes"], ensure_ascii=False)
        for request in (call.request for call in self._line.sandbox.wire.calls_to("*/UpdateSecurityMarks")):
            yield "marks", json.dumps(dict(request.security_marks.marks), ensure_ascii=False)
        for file in (self._folder / "firebreak" / "evidence").rglob("*.json"):
            yield f"vault: {file.name}", file.read_text()
        for file in self._folder.glob("ledger.sqlite*"):
            yield file.name, file.read_bytes().decode("utf-8", errors="replace")

    def with_history(self, incident: Incident, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
        """Everything that there is about one incident."""
        yield from self.kept()
        yield from self.screens(monkeypatch, incident.id)
        message = compose(incident, "1")
        for kind in kinds():
            for request in channel(kind).requests(message, Address("https://chat.invalid/x")):
                yield kind, "\n".join(texts_in(json.loads(request.body)))


def texts_in(body: Any) -> Iterator[str]:
    """Every text of a JSON body as its reader gets it."""
    if isinstance(body, str):
        yield body
    for one in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from texts_in(one)


def assert_clean(outputs: Iterator[tuple[str, str]]) -> None:
    """None of them carries a secret, or a character that a terminal or a reader might obey."""
    for place, text in outputs:
        found = [text[max(0, text.find(told) - 60) : text.find(told) + 20] for told in TELLTALES if told in text]
        assert found == [], place
        if not place.startswith("ledger"):
            assert UNSAFE.findall(text) == [], place


def shown(outputs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Without the ledger's bytes."""
    return (one for one in outputs if not one[0].startswith("ledger"))


def tainted(pair: Any) -> Any:
    """The pair with taint in every text that does not lead to the workload."""
    return {"finding": everywhere(pair["finding"], IDENTITY), "resource": everywhere(pair["resource"], IDENTITY)}


def delivered(line: Line, **more: Any) -> Incident:
    """The tainted finding, which SCC holds as tainted, answered."""
    pair = tainted(line.finding(held=False, **more))
    put_finding(line.world, pair["finding"], pair["resource"])
    return line.respond(notification_v2(pair))


@pytest.mark.parametrize("mode", ["enforce", "approve", "monitor"])
def test_nothing_tainted_comes_out_in_any_mode(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Contained and released, asked and approved, or recorded only."""
    policy = ALWAYS.replace("mode: enforce", f"mode: {mode}").replace("{mode: enforce}", f"{{mode: {mode}}}")
    with Lines(tmp_path)(tainted_world(), policy=policy) as line:
        outputs = Outputs(line, tmp_path, capsys)
        incident = delivered(line)

        assert incident.phase == {"enforce": "contained", "approve": "waiting", "monitor": "monitored"}[mode]
        assert_clean(shown(outputs.with_history(incident, monkeypatch)))
        if mode == "approve":
            line.approve(incident, "alice")
        if mode != "monitor":
            line.release(incident, "alice")
        assert_clean(shown(outputs.with_history(line.read(incident), monkeypatch)))


def test_nothing_tainted_comes_out_of_what_is_declined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason quotes the category, which is as hostile as the rest."""
    with Lines(tmp_path)(tainted_world(), policy=ALWAYS) as line:
        outputs = Outputs(line, tmp_path, capsys)
        incident = delivered(line, category=f"Execution: {TAINT}", module="A_MODULE_OF_ITS_OWN")

        assert incident.phase == "declined"
        assert_clean(outputs.with_history(incident, monkeypatch))


@pytest.mark.parametrize("method", ["*/GetService", "*/ListRevisions", "*/UpdateService", "*/ListFindings"])
@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "INTERNAL", "INVALID_ARGUMENT"])
def test_what_apis_say_of_their_errors_comes_out_clean(
    method: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Google's messages quote what was asked, and that may be anything."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        outputs = Outputs(line, tmp_path, capsys)
        message = re.sub("[^ -~]", "", TAINT)[:900]
        line.sandbox.wire.inject(Fault(method, "error", code=code, message=message, times=None))
        pair = line.finding()
        try:
            incident = line.respond(pair)
        except Transient as fault:
            log_json("WARNING", f"to be delivered again: {fault}")
            incident = next(iter(line.app.ledger.newest(1))).incident

        assert_clean(shown(outputs.with_history(incident, monkeypatch)))


def test_the_ledger_keeps_no_secret_of_labels_and_file_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup of the ledger is read by more people than the service's settings."""
    with Lines(tmp_path)(tainted_world(), policy=ALWAYS) as line:
        outputs = Outputs(line, tmp_path, capsys)
        delivered(line)

        assert_clean(outputs.kept())


def test_a_file_report_s_texts_are_not_cut_within_a_secret() -> None:
    """The first half of a token is not known for one."""
    attributes = {
        "last_analysis_stats": {"malicious": 48},
        "popular_threat_classification": {"suggested_threat_label": f"{'x' * 170} {SECRETS['GitHub token']}"},
    }
    report = read_report(KNOWN, attributes)

    assert isinstance(report, FileReport)
    assert [told for told in TELLTALES if told in safe(report.label or "")] == []


def test_the_ledger_keeps_no_secret_of_error_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They quote what was asked."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        outputs = Outputs(line, tmp_path, capsys)
        message = SECRETS["password"]
        line.sandbox.wire.inject(Fault("*/UpdateService", "error", code="PERMISSION_DENIED", message=message))
        line.respond(line.finding())

        assert_clean(outputs.kept())


def test_what_cannot_be_read_is_kept_clean_in_ledger_and_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dead-letter topic has the message whole, the vault a redacted copy; the ledger keeps its digest alone."""
    with Lines(tmp_path)() as line:
        outputs = Outputs(line, tmp_path, capsys)
        event = {"message": {"data": base64.b64encode(f"hello {TAINT}".encode()).decode(), "attributes": {"a": TAINT}}}
        send_to_dead_letter(line.app, event, "the message is not JSON text")
        kept = next(iter(line.app.ledger.documents.newest("unreadable", 1)))
        copies = list((tmp_path / "firebreak" / "evidence" / "unreadable").glob("*.json"))

        assert set(kept.body) == {"at_ns"}
        assert copies[0].stem == kept.key
        assert "hello" in copies[0].read_text()
        assert_clean(outputs.kept())


PAIR = malicious_binary_finding()


@pytest.mark.parametrize("at", list(texts_of(PAIR)), ids=lambda at: ".".join(map(str, at)))
def test_every_field_of_the_message_may_be_tainted(
    at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One field at a time, those that name the workload too."""
    with Lines(tmp_path)(policy=ALWAYS) as line:
        outputs = Outputs(line, tmp_path, capsys)
        pair = changed(line.finding(), at, lambda text: f"{text} {TAINT}")
        try:
            incident = line.respond(pair)
        except Malformed as fault:
            send_to_dead_letter(line.app, {"message": {"data": ""}}, str(fault))
            assert_clean(outputs.kept())
        else:
            assert_clean(outputs.with_history(incident, monkeypatch))


@pytest.mark.parametrize("kind", SECRETS)
def test_every_kind_of_secret_is_redacted(kind: str) -> None:
    """Whatever stands around it, also in what pretends to be cut already."""
    secret = SECRETS[kind]
    for text in (secret, f"a {secret} b", f'"{secret}"', f"{secret}… (5 more characters)", "x " * 900 + secret):
        assert [told for told in TELLTALES if told in safe(text)] == []


@pytest.mark.parametrize("kind", SECRETS)
def test_no_cut_leaves_part_of_a_secret(kind: str) -> None:
    """Neither the limit of what is shown nor that of what is looked at."""
    secret = SECRETS[kind]
    for before in (1_990, 2_000, 19_960, 19_980, 19_990):
        filler = (f"{SECRETS['JWT']} " * 200)[:before].rpartition(" ")[0]
        shown = safe(f"{filler:<{before}} {secret} end")

        assert [told for told in TELLTALES if told in shown] == []


@given(st.text(max_size=300) | st.lists(st.sampled_from([*SECRETS.values(), *CONTROLS, " ", "x" * 700])).map("".join))
def test_showing_twice_is_showing_once(text: str) -> None:
    """Records are made of texts that were made safe before."""
    assert safe(safe(text)) == safe(text)
    assert UNSAFE.findall(safe(text)) == []


@given(st.recursive(st.text() | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_nested_values_come_out_clean(value: Any) -> None:
    """Keys too, at any depth."""
    shown = json.dumps(safe_value(value), ensure_ascii=False)

    assert UNSAFE.findall(shown) == []
