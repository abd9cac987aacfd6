"""A process that has just started: its first requests leave while what they do not need is still being loaded."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.blueprint import digest_of
from sandbox.cloud_run.reachability import reachable_revisions
from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2
from sandbox.scc.security_center import put_finding
from sandbox.server import Sandbox
from sandbox.wire import Call
from tests.response.harness import GOOD, TOPIC, world_of

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = (
    "google.api_core",
    "google.auth",
    "google.cloud",
    "google.pubsub_v1",
    "grpc",
    "proto",
    "requests",
    "aiohttp",
    "vt",
)
AFTER_THE_WRITE = (
    "google.cloud.firestore_v1",
    "google.cloud.iam_admin_v1",
    "google.cloud.logging_v2.handlers",
    "google.cloud.logging_v2.types",
    "google.cloud.run_v2.services.builds",
    "google.cloud.run_v2.services.jobs",
    "google.cloud.storage",
    "google.pubsub_v1.types",
)
IN_THIS_ORDER = (
    "firebreak.adapters.virustotal_client",
    "firebreak.adapters.google.security_center",
    "firebreak.adapters.cloud_run.services",
    "firebreak.adapters.google.cloud_logging",
    "firebreak.adapters.google.pubsub",
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a fresh process tells of its first message, under the shipped policies, where VirusTotal decides."""
    folder = tmp_path_factory.mktemp("cold")
    policies = folder / "policies"
    shutil.copytree(ROOT / "policies", policies)
    (policies / "firebreak.yaml").write_text('organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n')
    event = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    pair = malicious_binary_finding(Scene(event_time=event, digest=digest_of(8)))
    with Sandbox(world_of()) as sandbox:
        put_finding(sandbox.world, pair["finding"], pair["resource"])
        environment = {
            **os.environ,
            **sandbox.environment(),
            "FIREBREAK_POLICIES": str(policies),
            "FIREBREAK_LEDGER": f"sqlite:///{folder / 'ledger.sqlite'}",
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
            "VIRUSTOTAL_API_KEY": "key",
            "XDG_STATE_HOME": str(folder),
        }
        answer = _answer(sandbox, notification_v2(pair), environment)
        assert set(reachable_revisions(sandbox.world, "checkout")) == {GOOD}
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return found


def _answer(sandbox: Sandbox, message: bytes, environment: Mapping[str, str]) -> str:
    """What the process prints, to which each request is told as it arrives."""
    command = [sys.executable, "-m", "tests.response.first_message", message.decode()]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - Python itself
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True
    ) as process:
        into, out = process.stdin, process.stdout
        assert into is not None
        assert out is not None

        def tell(call: Call) -> None:
            into.write(f"{call.method.rpartition('/')[2]}\n")
            into.flush()

        for glob in ("*/ListFindings", "*/UpdateService", "virustotal/*"):
            sandbox.wire.watch(glob, tell)
        return out.read()


def test_a_process_starts_to_listen_without_any_client(told: dict[str, Any]) -> None:
    """The framework has a package of its own among Google's."""
    clients = tuple(f"{name}." for name in CLIENTS)
    loaded = [one for one in told["started"] if f"{one}.".startswith(clients) and ".functions" not in one]

    assert loaded in ([], ["google.cloud"])
    assert len(told["started"]) < 700


def test_requests_leave_and_the_write_is_made_while_what_comes_later_cannot_be_loaded_yet(told: dict[str, Any]) -> None:
    """Cloud Run's package is held back until VirusTotal and SCC are asked, Logging's and Pub/Sub's until the write."""
    assert told["in_vain"] == []
    assert [one for one in told["at_the_write"] if one in AFTER_THE_WRITE] == []


def test_what_takes_longest_to_answer_is_loaded_first(told: dict[str, Any]) -> None:
    loaded = [one for one in told["order"] if one in IN_THIS_ORDER]

    assert loaded == list(IN_THIS_ORDER)
