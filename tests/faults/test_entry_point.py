"""The function as Pub/Sub meets it, over HTTP: what is acknowledged, what comes again, and that nothing is told."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest

from firebreak.core.policy.triage import NO_POLICY
from sandbox.scc.notifications import PLANTED_SECRET, cloud_event, notification_v2, push_body
from sandbox.wire import Fault
from tests.repository.checkout import tracked
from tests.repository.test_frame import is_deployed
from tests.response.harness import BAD, TOPIC, Line, Lines
from tests.response.test_set_aside import of_a_newer_version, text_in_file
from tools.package import archive, collect, manifest

ROOT = Path(__file__).resolve().parents[2]
DEAD = "projects/firebreak/topics/dead"
JSON = {"Content-Type": "application/json"}


class Function:
    """The entry point in this process, on a line's world."""

    def __init__(self, line: Line) -> None:
        self.line = line
        made: Any = functions_framework.create_app
        self.http = made("on_finding", str(ROOT / "main.py"), "cloudevent").test_client()

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> Any:
        return self.http.post("/", data=body, headers=headers or JSON)

    def dead(self) -> list[dict[str, Any]]:
        return self.line.world.topics.get(DEAD, [])


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    with Lines(tmp_path)(FIREBREAK_DEAD_LETTER_TOPIC=DEAD) as line:
        settings = {
            **line.sandbox.environment(),
            "FIREBREAK_POLICIES": str(line.app.settings.policies),
            "FIREBREAK_LEDGER": line.app.settings.ledger,
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
            "FIREBREAK_DEAD_LETTER_TOPIC": DEAD,
            "XDG_STATE_HOME": str(tmp_path),
            "VIRUSTOTAL_API_KEY": "key",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield Function(line)


def test_a_push_body_is_answered_200_and_contained(function: Function) -> None:
    """As Pub/Sub pushes it, without CloudEvent headers."""
    answer = function.post(push_body(notification_v2(function.line.finding())))

    assert answer.status_code == 200
    assert BAD not in function.line.reachable


def test_without_any_policy_it_starts_says_so_and_records_what_comes(
    function: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("FIREBREAK_POLICIES", str(tmp_path / "none"))
    started = Function(function.line)
    first = json.loads(capsys.readouterr().out)
    answer = started.post(push_body(notification_v2(function.line.finding())))

    assert first == {"severity": "ERROR", "message": NO_POLICY, "folder": str(tmp_path / "none")}
    assert answer.status_code == 200
    assert [one["phase"] for one in function.line.announced] == ["declined"]


def test_a_channel_whose_secret_is_not_set_is_named_at_the_start(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = "notify: {channels: {soc: {kind: slack, secret: FIREBREAK_NOTIFY_SOC}}}\n"
    with (function.line.app.settings.policies / "firebreak.yaml").open("a") as config:
        config.write(table)
    Function(function.line)
    said = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    monkeypatch.setenv("FIREBREAK_NOTIFY_SOC", "https://hooks.invalid/x")
    Function(function.line)

    assert said == ["nobody is told on the channel soc of firebreak.yaml: FIREBREAK_NOTIFY_SOC is not set"]
    assert capsys.readouterr().out == ""


def test_settings_and_policies_are_read_once_at_the_start(
    function: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What starts with them ends with them, whatever becomes of folder and environment before the first message."""
    folder = function.line.app.settings.policies
    folder.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("FIREBREAK_CEILING", "monitor")
    answer = function.post(push_body(notification_v2(function.line.finding())))

    assert answer.status_code == 200
    assert BAD not in function.line.reachable


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_cloud_events_of_both_modes_are_contained(function: Function, mode: Any) -> None:
    """As Eventarc delivers them."""
    headers, body = cloud_event(notification_v2(function.line.finding()), mode=mode)

    assert function.post(body, headers).status_code == 200
    assert BAD not in function.line.reachable


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (base64.b64encode(b"no json").decode(), b"no json"),
        ("!!!", "!!!"),
        (base64.b64encode(b"\xff\xfe").decode(), b"\xff\xfe"),
        (base64.b64encode(b"[" * 50_000).decode(), b"[" * 50_000),
        ("", ""),
    ],
    ids=["no json", "no base64", "no text", "nested", "empty"],
)
def test_what_cannot_be_read_is_acknowledged_and_dead_lettered_whole(
    function: Function, data: str, whole: bytes | str
) -> None:
    """As it was, so that it can be published again; with the reason and the digest, and a record in the ledger."""
    answer = function.post(json.dumps({"message": {"messageId": "1", "data": data}, "subscription": "s"}).encode())

    assert answer.status_code == 200
    assert len(function.dead()) == 1
    assert function.dead()[0]["data"] == whole or json.loads(function.dead()[0]["data"])["message"]["data"] == whole
    assert function.dead()[0]["attributes"]["reason"]
    assert list(function.line.app.ledger.documents.newest("unreadable", 5))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"message": {"attributes": {"a": "secret-attribute"}}}', JSON),
        (b"secret-body that is no JSON", JSON),
        (b"secret-body", {"Content-Type": "text/plain"}),
        (b"", JSON),
        (b"{secret", {"Content-Type": "application/cloudevents+json"}),
        (b"[]", {"Content-Type": "application/cloudevents+json"}),
        (b"{}", {"Content-Type": "application/cloudevents+json", "X-Secret": "secret-header"}),
        (b"\xff\xfe", {**JSON, "ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0"}),
        (b"{}", {**JSON, "ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-specversion": "9.9"}),
    ],
)
def test_what_is_no_event_is_kept_whole_and_nothing_is_told(
    function: Function, body: bytes, headers: dict[str, str]
) -> None:
    """The framework's own answer would carry the request's headers and body."""
    answer = function.post(body, headers)
    (kept,) = (one["data"] for one in function.dead())

    assert answer.status_code == 200
    assert "secret" not in answer.text
    assert kept == body or "message" in json.loads(kept)


METADATA = {"X-Goog-Pubsub-Message-Id": "77", "X-Goog-Pubsub-Publish-Time": "2026-10-01T10:00:03.012Z"}


@pytest.mark.parametrize("headers", [JSON, {**JSON, **METADATA}, {}], ids=["plain", "metadata", "no type"])
def test_a_push_without_the_wrapper_is_contained(function: Function, headers: dict[str, str]) -> None:
    answer = function.post(notification_v2(function.line.finding()), headers)

    assert answer.status_code == 200
    assert function.dead() == []
    assert BAD not in function.line.reachable


EVENT = {"ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0"}


@pytest.mark.parametrize("type_", ["application/json", "application/octet-stream", "text/plain"])
def test_an_event_that_is_the_notification_itself_is_contained(function: Function, type_: str) -> None:
    answer = function.post(notification_v2(function.line.finding()), {**EVENT, "Content-Type": type_})

    assert answer.status_code == 200
    assert function.dead() == []
    assert BAD not in function.line.reachable


@pytest.mark.parametrize("as_text", [False, True], ids=["data", "base64"])
def test_an_event_of_one_body_with_the_notification_in_it_is_contained(
    function: Function,
    as_text: bool,  # noqa: FBT001 - a case
) -> None:
    said = notification_v2(function.line.finding())
    data = {"data_base64": base64.b64encode(said).decode()} if as_text else {"data": json.loads(said)}
    event = {key.removeprefix("ce-"): value for key, value in EVENT.items()}
    answer = function.post(json.dumps({**event, **data}).encode(), {"Content-Type": "application/cloudevents+json"})

    assert answer.status_code == 200
    assert function.dead() == []
    assert BAD not in function.line.reachable


def test_what_is_unreadable_without_the_wrapper_can_be_published_again_as_it_is(function: Function) -> None:
    spoilt = notification_v2(function.line.finding())[:-9]
    function.post(spoilt)

    assert [one["data"] for one in function.dead()] == [spoilt]


@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "unwrapped"])
def test_the_largest_message_that_cannot_be_read_is_kept_whole_within_two_seconds(
    function: Function,
    wrapped: bool,  # noqa: FBT001 - a case
) -> None:
    """Redacted copy and all: its size is bounded before anything is looked at."""
    largest = b"password=hunter22 " * 550_000
    began = time.process_time()
    answer = function.post(push_body(largest) if wrapped else largest)

    assert answer.status_code == 200
    assert time.process_time() - began < 2
    assert [one["data"] for one in function.dead()] == [largest]


def test_an_outage_at_a_push_without_the_wrapper_is_a_500_and_nothing_is_lost(function: Function) -> None:
    pair = function.line.finding()
    function.line.sandbox.wire.inject(Fault("*/ListFindings", "error", code="INTERNAL", times=None))
    first = function.post(notification_v2(pair))
    function.line.sandbox.wire.clear_faults()
    second = function.post(notification_v2(pair))

    assert (first.status_code, second.status_code) == (500, 200)
    assert BAD not in function.line.reachable


def test_a_command_without_the_wrapper_is_carried_out(function: Function) -> None:
    """Twice under one id it is carried out once."""
    made: Any = functions_framework.create_app
    command = made("on_command", str(ROOT / "main.py"), "cloudevent").test_client()
    halt = json.dumps({"command": "halt", "by": "ada", "reason": "a drill"}).encode()
    answers = [command.post("/", data=halt, headers={**JSON, **METADATA}).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert "a drill" in str(function.line.app.ledger.halt_reason())
    assert function.dead() == []


def test_an_unreachable_dead_letter_topic_is_a_500(function: Function) -> None:
    """The message comes again; it is not dropped."""
    function.line.sandbox.wire.inject(Fault("*/Publish", "error", code="INTERNAL", message=PLANTED_SECRET))
    answer = function.post(push_body(b"no json"))

    assert answer.status_code == 500
    assert PLANTED_SECRET not in answer.text


def test_a_transient_fault_is_a_500_that_tells_nothing(function: Function) -> None:
    """No headers, no payload, no exception text."""
    function.line.sandbox.wire.inject(
        Fault("*/ListFindings", "error", code="INTERNAL", message=PLANTED_SECRET, times=None)
    )
    pair = function.line.finding()
    answer = function.post(push_body(notification_v2(pair)), {**JSON, "X-Secret": "header-secret"})

    assert answer.status_code == 500
    for told in (PLANTED_SECRET, "header-secret", "INTERNAL", pair["finding"]["name"], "Traceback"):
        assert told not in answer.text


def test_a_bug_of_ours_is_a_500_that_tells_nothing(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logged as an error with its place, delivered again, and finally dead-lettered by Pub/Sub."""
    monkeypatch.setattr("firebreak.response.pipeline.parse_notification", lambda _: 1 / 0)
    answer = function.post(push_body(b"{}"))
    logged = json.loads(capsys.readouterr().out.splitlines()[-1])

    assert answer.status_code == 500
    assert logged["severity"] == "ERROR"
    assert re.fullmatch(
        r"a fault in Firebreak itself: ZeroDivisionError: division by zero \(tests/faults/test_entry_point\.py:\d+\)",
        logged["message"],
    )
    assert "division" not in answer.text


STARTS = "import functions_framework; functions_framework.create_app('on_finding', 'main.py', 'cloudevent')"
"""What the functions-framework command does before it listens."""


def start(folder: Path, config: str = 'organization: "1"\n', **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "firebreak.yaml").write_text(config)
    env = {**os.environ, "FIREBREAK_POLICIES": str(folder), "HOME": str(folder), **environment}
    command = [sys.executable, "-c", STARTS]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize(
    ("config", "environment", "told"),
    [
        ('organization: "1"\nprotectd: []\n', {}, "firebreak.yaml:2:1"),
        ('organization: "1"\nceiling: Enforce\n', {}, "firebreak.yaml:2:10"),
        ('organization: "1"\n', {"FIREBREAK_CEILLING": "enforce"}, "FIREBREAK_CEILING is meant"),
        ('organization: "1"\n', {"FIREBREAK_CEILING": "Enforce"}, "one of monitor, approve, enforce"),
        ('organization: "1"\n', {"CLOUD_RUN_EMULATOR_HOST": "run.example.net:80"}, "only host:port on loopback"),
        ('organization: "1"\n', {"VIRUSTOTAL_HOST": "http://vt.example.net:80"}, "the key would travel there"),
        ('organization: "1"\n', {"FIREBREAK_SELF": "services/firebreak"}, "FIREBREAK_SELF"),
    ],
)
def test_a_misspelt_or_unreadable_guard_stops_the_start(
    tmp_path: Path, config: str, environment: dict[str, str], told: str
) -> None:
    """With the place and what is meant."""
    done = start(tmp_path, config, **environment)

    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    line = json.loads(done.stdout)
    assert (line["severity"], line["message"]) == ("ERROR", "Firebreak does not start"), "a plain line has no severity"
    assert any(told in fault for fault in line["faults"])


def test_a_good_configuration_starts(tmp_path: Path) -> None:
    """So that it is the fault that stops it."""
    assert start(tmp_path).returncode == 0


def test_a_finding_of_a_newer_versions_incident_is_acknowledged_and_told_as_an_error(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    """Delivered again it would come to nothing else, and in the end to the dead letters."""
    pair = function.line.finding(minutes_ago=5)
    incident = function.line.respond(pair)
    of_a_newer_version(function.line, "incident", incident.id)
    before = text_in_file(function.line, "incident", incident.id)
    bodies = [push_body(notification_v2(one)) for one in (pair, function.line.finding())]
    answers = [function.post(body) for body in bodies]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    told = [one for one in lines if one["severity"] == "ERROR"]

    assert [one.status_code for one in answers] == [200, 200]
    assert function.dead() == []
    assert [one["message"].partition(":")[0] for one in told] == [
        "a record is set aside",
        "acknowledged, and nothing was done",
        "acknowledged, and nothing was done",
    ]
    assert text_in_file(function.line, "incident", incident.id) == before


BAD_EDIT = """

_edit = CutTraffic.edit


def _fails(self: CutTraffic, *given: Any) -> Any:
    return _edit(self, *given)[0]


CutTraffic.edit = _fails
"""


def started(tree: Path, then: str = "") -> subprocess.CompletedProcess[str]:
    """What is deployed, with what a test has put into it, as the framework starts it."""
    return subprocess.run(  # noqa: S603 - what a test wrote
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, '.'); {STARTS}; {then}"],
        cwd=tree,
        env={"HOME": str(tree), "FIREBREAK_POLICIES": str(tree / "policies"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path in tracked():
        if is_deployed(path):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def test_parts_that_do_not_load_are_told_by_name_and_place_and_it_starts(tree: Path) -> None:
    """Each as an error that is alerted on; that an action fails, lint and packaging find by trying it, and not this."""
    with (tree / "responders" / "cut_traffic.py").open("a") as action:
        action.write(BAD_EDIT)
    (tree / "responders" / "lost.py").write_text("import no_such_module\n")
    (tree / "enrichment" / "torn.py").write_text("source = (\n")
    (tree / "policies" / "._10-known-malware.yaml").write_bytes(b"\x00\x05\x16\x07\xff")
    told = started(tree)
    lines = [json.loads(line) for line in told.stdout.splitlines()]

    assert told.returncode == 0, told.stderr
    assert [(one["severity"], one["message"].partition(";")[0]) for one in lines] == [
        ("ERROR", f"a fault in Firebreak itself: {what}")
        for what in (
            "enrichment/torn.py cannot be imported (SyntaxError at enrichment/torn.py:1)",
            "responders/lost.py cannot be imported (ModuleNotFoundError at responders/lost.py:1)",
        )
    ]


IMPORTED = "print(*sorted(name for name in sys.modules if 'policy_language' in name or name in ('yaml', 'flask')))"


def test_a_bare_import_reads_no_policies(tree: Path) -> None:
    """In a checkout too: whoever imports it for another reason than to start it pays for no YAML."""
    (tree / "policies" / "10-broken.yaml").write_text("nonsense")
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-P", "-c", "import sys; sys.path.insert(0, '.'); import main"],
        cwd=tree,
        env={"HOME": str(tree), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 0, told.stderr
    assert "firebreak.policy_folder" in told.stderr
    assert "policy_language" not in told.stderr
    assert " yaml" not in told.stderr


def test_a_packaged_function_starts_without_the_policy_language_and_tells_what_it_was_packed_from(
    tmp_path: Path,
) -> None:
    package = collect(None)
    with zipfile.ZipFile(io.BytesIO(archive(package.files))) as packed:
        packed.extractall(tmp_path)
    told = started(tmp_path, IMPORTED)
    assert told.returncode == 0, told.stderr
    first, imported = told.stdout.splitlines()
    about = manifest(package, b"")

    assert imported == "flask"
    assert json.loads(first) == {
        "severity": "INFO",
        "message": "Firebreak starts",
        **{name: about[name] for name in ("version", "contents", "policy_set")},
    }


def test_a_packaged_function_whose_yaml_was_edited_reads_the_yaml_and_says_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(collect(None).files))) as packed:
        packed.extractall(tmp_path)
    (tmp_path / "policies" / "10-known-malware.yaml").unlink()
    told = started(tmp_path, IMPORTED)
    first, _, imported = told.stdout.splitlines()

    assert json.loads(first)["severity"] == "WARNING"
    assert "compiled.json is left aside, and the YAML beside it is read: it was made of other files" in first
    assert "firebreak.policy_language.reading.policies" in imported.split()


def test_a_packaged_function_with_a_policy_that_does_not_load_does_not_start(tmp_path: Path) -> None:
    """Compiled policies are no way around the refusal."""
    with zipfile.ZipFile(io.BytesIO(archive(collect(None).files))) as packed:
        packed.extractall(tmp_path)
    (tmp_path / "policies" / "10-known-malware.yaml").write_text("id: x\nmode: enforse\n")
    told = started(tmp_path)

    assert told.returncode == 1
    assert "Firebreak does not start" in told.stderr
    assert "10-known-malware.yaml:2:7" in told.stderr


def test_a_policy_that_names_what_does_not_load_stops_it_with_the_reason(tree: Path) -> None:
    """Left out, what that policy should have decided would fall to the ones below it; the old revision serves on."""
    (tree / "responders" / "cut_traffic.py").write_text("import no_such_module\n")
    told = started(tree)

    assert told.returncode == 1
    assert "Firebreak does not start" in told.stderr
    assert "the action `cut_traffic` does not load: responders/cut_traffic.py cannot be imported" in told.stderr
    assert "ModuleNotFoundError at responders/cut_traffic.py:1" in told.stderr
