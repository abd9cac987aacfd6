from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import functions_framework
import pytest
from cloudevents.http import from_http
from google.cloud import securitycenter_v1, securitycenter_v2

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.errors import Malformed
from firebreak.core.findings.notification import parse_notification
from sandbox.deliver import deliver
from sandbox.scc.notification_variants import FIXTURES, finding_on, readable
from sandbox.scc.notifications import (
    MESSAGE_PUBLISHED,
    PLANTED_SECRET,
    Scene,
    cloud_event,
    malicious_binary_finding,
    notification_v1,
    notification_v2,
    push_body,
    without_location,
)

FOLDER = Path(__file__).parents[1] / "findings"
READ_BY_GOOGLE = sorted(set(FIXTURES) - {"v1", "unknown_fields", "console_json_tab"})


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_every_fixture_is_what_the_code_words_now(name: str) -> None:
    written = (FOLDER / f"{name}.json").read_text(encoding="utf-8")

    assert written == readable(FIXTURES[name]()), "write them again: python -m sandbox.notification_variants FOLDER"


def test_no_fixture_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(FIXTURES)


@pytest.mark.parametrize("name", READ_BY_GOOGLE)
def test_googles_own_class_reads_every_v2_message_without_leniency(name: str) -> None:
    message = securitycenter_v2.NotificationMessage.from_json(FIXTURES[name]().decode())

    assert message.finding.category == "Execution: Added Malicious Binary Executed"
    assert message.resource.gcp_metadata.organization == "organizations/123456789012"


def test_googles_own_class_reads_the_v1_message_without_leniency() -> None:
    message = securitycenter_v1.NotificationMessage.from_json(FIXTURES["v1"]().decode())

    assert message.finding.name == "organizations/123456789012/sources/5678/findings/0b54a4eb1d5c4ad2a54e4e6a1d9e5f10"
    assert message.finding.parent == "organizations/123456789012/sources/5678"
    assert message.resource.project_display_name == "shop-prod"


def test_the_fixture_of_unknown_fields_is_one_that_googles_class_refuses() -> None:
    with pytest.raises(Exception, match=r"ParseError|no field|Invalid enum"):
        securitycenter_v2.NotificationMessage.from_json(FIXTURES["unknown_fields"]().decode())


def test_v1_and_v2_are_two_spellings_of_one_event() -> None:
    pair = malicious_binary_finding()
    first, second = (parse_notification(body).finding for body in (notification_v1(pair), notification_v2(pair)))

    assert first.incident_id == second.incident_id
    assert first.target == second.target


@pytest.mark.parametrize(
    ("name", "kind"),
    [("v2", "service"), ("revision", "service"), ("job_execution", "job"), ("worker_pool", "worker_pool")],
)
def test_each_kind_of_workload_has_a_fixture(name: str, kind: str) -> None:
    target = parse_notification(FIXTURES[name]()).finding.target

    assert isinstance(target, Target)
    assert target.kind == kind


@pytest.mark.parametrize("name", ["gke_twin", "agent_engine_twin"])
def test_the_twins_share_the_category_and_are_no_cloud_run_workload(name: str) -> None:
    finding = parse_notification(FIXTURES[name]()).finding

    assert finding.category == "Execution: Added Malicious Binary Executed"
    assert isinstance(finding.target, NotATarget)


def test_a_deletion_still_looks_like_an_active_finding() -> None:
    notification = parse_notification(FIXTURES["deleted"]())

    assert notification.deleted
    assert notification.finding.state == "ACTIVE"


def test_muting_moves_neither_state_nor_event_time() -> None:
    plain, muted = (json.loads(FIXTURES[name]())["finding"] for name in ("v2", "muted"))

    assert muted["mute"] == "MUTED"
    assert (muted["state"], muted["eventTime"]) == (plain["state"], plain["eventTime"])


def test_the_hash_is_partial_or_missing_where_the_fixture_says_so() -> None:
    hashes = {name: parse_notification(FIXTURES[name]()).finding.whole_hashes for name in FIXTURES if name != CONSOLE}

    assert hashes["files_only"] == hashes["v2"] != ()
    assert hashes["partial_hash"] == hashes["no_processes"] == ()


CONSOLE = "console_json_tab"


def test_the_consoles_json_is_not_a_notification() -> None:
    with pytest.raises(Malformed):
        parse_notification(FIXTURES[CONSOLE]())


def test_a_secret_is_planted_in_the_environment_of_the_process() -> None:
    assert PLANTED_SECRET in FIXTURES["v2"]().decode()


def test_a_scene_takes_any_resource_name_and_either_spelling_of_the_project() -> None:
    by_number = malicious_binary_finding(Scene(project_spelled="number"))
    elsewhere = malicious_binary_finding(Scene(resource_name="//run.googleapis.com/namespaces/x"))
    pool = finding_on("workerPools/w", Scene(project_id="other"))

    assert by_number["finding"]["resourceName"].startswith("//run.googleapis.com/projects/424242424242/")
    assert elsewhere["finding"]["resourceName"] == elsewhere["resource"]["name"] == "//run.googleapis.com/namespaces/x"
    assert pool["resource"]["name"].endswith("/projects/other/locations/europe-west1/workerPools/w")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("organizations/1/sources/2/locations/eu/findings/3", "organizations/1/sources/2/findings/3"),
        ("organizations/1/sources/2/locations/eu", "organizations/1/sources/2"),
        ("organizations/1/sources/2", "organizations/1/sources/2"),
    ],
)
def test_v1_names_have_no_location(name: str, expected: str) -> None:
    assert without_location(name) == expected


def test_a_push_carries_the_message_under_both_spellings() -> None:
    body = json.loads(push_body(b"\x00hello", message_id="7", delivery_attempt=3))

    assert base64.b64decode(body["message"]["data"]) == b"\x00hello"
    assert body["message"]["messageId"] == body["message"]["message_id"] == "7"
    assert body["deliveryAttempt"] == 3


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_cloudevents_library_reads_both_content_modes(mode: Literal["binary", "structured"]) -> None:
    headers, body = cloud_event(b"hello", mode=mode, message_id="7")
    event: Any = from_http(headers, body)

    assert (event["type"], event["id"]) == (MESSAGE_PUBLISHED, "7")
    assert event["source"] == "//pubsub.googleapis.com/projects/security-ops/topics/scc-findings"
    assert base64.b64decode(event.data["message"]["data"]) == b"hello"


RECEIVER = """
import functions_framework

@functions_framework.cloud_event
def receive(event):
    import receiver_inbox
    receiver_inbox.append(event)
"""


@pytest.mark.parametrize("form", ["binary", "structured", "push"])
def test_functions_framework_hands_the_message_to_a_cloudevent_function(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox: list[Any] = []
    monkeypatch.setitem(sys.modules, "receiver_inbox", cast("Any", SimpleNamespace(append=inbox.append)))
    source = tmp_path / "main.py"
    source.write_text(RECEIVER)
    create_app: Any = functions_framework.create_app
    client = create_app("receive", str(source), "cloudevent").test_client()
    headers, body = {"content-type": "application/json"}, push_body(FIXTURES["v2"](), message_id="7")
    if form != "push":
        headers, body = cloud_event(FIXTURES["v2"](), mode=cast("Any", form), message_id="7")
    answer = client.post("/", data=body, headers=headers)
    (event,) = inbox

    assert answer.status_code == 200
    assert (event["type"], event["id"]) == (MESSAGE_PUBLISHED, "7")
    assert base64.b64decode(event.data["message"]["data"]) == FIXTURES["v2"]()


@pytest.fixture
def echo() -> Iterator[str]:
    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(418)
            self.end_headers()
            self.wfile.write(self.path.encode() + b" " + self.headers["ce-id"].encode() + b" " + body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_delivery_returns_status_and_text_whatever_they_are(echo: str) -> None:
    assert deliver(f"{echo}/a?b=c", b"body", {"ce-id": "7"}) == (418, "/a?b=c 7 body")


def test_a_delivery_goes_to_http_only() -> None:
    with pytest.raises(ValueError, match="http://"):
        deliver("file:///etc/passwd", b"", {})
