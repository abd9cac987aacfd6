"""Every call goes out through the proxy that the environment names, and none to this machine does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak.adapters.google.pubsub import Publisher
from firebreak.adapters.proxies import proxy_of
from firebreak.adapters.storage.vault_bucket import BucketVault
from firebreak.adapters.virustotal import connect
from firebreak.adapters.webhook import post
from firebreak.core.errors import Transient
from firebreak.core.findings.file_report import FileReport, NoReport
from firebreak.core.messages.delivery import json_request
from firebreak.ports.deadline import Deadline
from firebreak.settings import read_settings
from sandbox.server import Sandbox
from sandbox.world import World
from tests.adapters.servers import Received, serving

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("https_proxy", "HTTPS_PROXY")
SHA256 = "ab" * 32
PUBLISH = """
from firebreak.core.messages.delivery import json_request
from firebreak.ports.deadline import Deadline
from firebreak.adapters.google.pubsub import Publisher
from firebreak.settings import read_settings
read_settings()
try:
    Publisher(None).publish("projects/firebreak/topics/incidents", b"{}", {}, Deadline.after(4))
except Exception as fault:
    print(type(fault).__name__)
"""


@pytest.fixture
def proxy() -> Iterator[Received]:
    with serving() as asked:
        asked.status = 403
        yield asked


def hosts(proxy: Received) -> set[str]:
    return {path for command, path in proxy.came if command == "CONNECT"}


@pytest.mark.parametrize("name", NAMES)
def test_a_webhook_is_reached_through_the_proxy(proxy: Received, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, proxy.origin.replace("http://", "http://ada:word@"))
    with pytest.raises(Transient, match=r"hooks\.invalid could not be reached"):
        post(json_request("https://hooks.invalid/services/x", {}), Deadline.after(5))

    assert proxy.came == [("CONNECT", "hooks.invalid:443")]
    assert proxy.headers[0]["proxy-authorization"].startswith("Basic ")
    assert proxy.bodies == []


@pytest.mark.parametrize("name", NAMES)
def test_virustotal_is_reached_through_the_proxy_which_never_sees_the_key(
    proxy: Received, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy.origin)
    reports = connect("a-key", "https://virustotal.invalid")
    answer = reports.report(SHA256, 8.0)
    reports.close()

    assert isinstance(answer, NoReport)
    assert answer.kind == "unreachable"
    assert hosts(proxy) == {"virustotal.invalid:443"}
    assert "a-key" not in str(proxy.headers)


@pytest.mark.parametrize("name", NAMES)
def test_google_is_reached_through_the_proxy(proxy: Received, name: str, tmp_path: Path) -> None:
    """GRPC reads small letters alone."""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", PUBLISH],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            name: proxy.origin,
            **_account(tmp_path),
            "HOME": "/",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.strip() == "Transient"
    assert "pubsub.googleapis.com:443" in hosts(proxy)


def _account(folder: Path) -> dict[str, str]:
    """Credentials as `gcloud` leaves them, which are good for nothing."""
    about = {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    (folder / "credentials.json").write_text(json.dumps(about))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(folder / "credentials.json")}


@pytest.mark.parametrize("no_proxy", ["hooks.invalid", ".invalid", "other.example, hooks.invalid", "*"])
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_what_no_proxy_names_is_reached_directly(
    proxy: Received, name: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
    monkeypatch.setenv(name, no_proxy)
    with pytest.raises(Transient):
        post(json_request("https://hooks.invalid/services/x", {}), Deadline.after(5))

    assert proxy.came == []


def test_a_proxy_without_a_scheme_is_a_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")

    assert proxy_of("https://hooks.slack.com/x") == "http://proxy.example:3128"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://localhost:1/x", "http://[::1]:1/x", "https://127.0.0.2/"]
)
def test_no_proxy_leads_to_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")

    assert proxy_of(url) is None


def test_local_services_are_asked_directly_whatever_proxy_there_is(
    proxy: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GRPC, VirusTotal, Cloud Storage and a chat on loopback."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "grpc_proxy"):
        monkeypatch.setenv(name, proxy.origin)
    world = World.load({"buckets": ["b"], "hashes": {SHA256: {"malicious": 3}}})
    with Sandbox(world) as sandbox, serving() as chat:
        where = sandbox.environment()
        Publisher(where["PUBSUB_EMULATOR_HOST"]).publish(
            "projects/firebreak/topics/incidents", b"{}", {}, Deadline.after(5)
        )
        vault = BucketVault("gs://b/p", where["STORAGE_EMULATOR_HOST"])
        reports = connect("key", where["VIRUSTOTAL_HOST"])
        report = reports.report(SHA256, 8.0)
        reports.close()
        post(json_request(f"{chat.origin}/hook", {"text": "x"}), Deadline.after(5))

        assert vault.put("f", "n", b"{}", Deadline.after(5))
        assert isinstance(report, FileReport)
        assert chat.bodies == [{"text": "x"}]
    assert len(world.topics["projects/firebreak/topics/incidents"]) == 1
    assert proxy.came == []


def test_a_proxy_in_small_letters_is_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://small.example:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://capital.example:1")
    read_settings()

    assert os.environ["https_proxy"] == "http://small.example:1"
