"""The archive alone, in an empty environment with nothing but its own requirements, starts and answers."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2
from tests.repository.checkout import ROOT, text_of
from tools.package import archive, collect, entry_points

pytestmark = pytest.mark.terraform
POINTS = entry_points((ROOT / "main.py").read_text())


def python_of_the_runtime() -> str:
    """The interpreter that is deployed, where this machine has it; else the one that runs the tests."""
    default = re.search(
        r'variable "runtime".*?default\s+= "python(3)(\d+)"', text_of("terraform/variables.tf"), re.DOTALL
    )
    assert default
    wanted = shutil.which(f"python{default[1]}.{default[2]}")
    works = wanted and subprocess.run([wanted, "-c", "import venv"], capture_output=True, check=False).returncode == 0  # noqa: S603
    return wanted if wanted and works else sys.executable


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive's files, and beside them an environment with its requirements, each checked against its hash."""
    folder = tmp_path_factory.mktemp("deployed")
    with zipfile.ZipFile(io.BytesIO(archive(collect(None).files))) as zipped:
        zipped.extractall(folder / "source")
    subprocess.run([python_of_the_runtime(), "-m", "venv", str(folder / "venv")], check=True)  # noqa: S603
    install = "-m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt"
    subprocess.run([str(folder / "venv" / "bin" / "python"), *install.split()], cwd=folder / "source", check=True)  # noqa: S603
    return folder


@contextmanager
def serving(folder: Path, point: str) -> Iterator[tuple[int, Path]]:
    """The function as it is deployed: nothing of this machine's environment, called by a subscription over HTTP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / point),
        "K_SERVICE": f"firebreak-{point}",
        "FUNCTION_TARGET": point,
        "FUNCTION_SIGNATURE_TYPE": "http",  # what a function without a trigger is given; its decorator knows better
        "WORKERS": "1",
        "THREADS": "16",
        "PORT": str(port),
    }
    log = folder / f"{point}.log"
    command = [str(folder / "venv" / "bin" / "functions-framework"), "--host", "127.0.0.1"]
    with log.open("w") as written:
        process = subprocess.Popen(command, cwd=folder / "source", env=environment, stdout=written, stderr=written)  # noqa: S603
    try:
        until = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield port, log
    finally:
        process.terminate()
        process.wait(timeout=10)


def push(port: int, data: bytes) -> int:
    """Deliver one message as a push subscription does; the status of the answer."""
    message = {"data": base64.b64encode(data).decode(), "messageId": "1", "publishTime": "2026-10-01T10:00:02Z"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"})
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    return connection.getresponse().status


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


@pytest.mark.parametrize("point", POINTS)
def test_each_entry_point_starts_and_acknowledges_what_it_cannot_read(unpacked: Path, point: str) -> None:
    """Also where it is deployed as a plain HTTP function, which one without a trigger is."""
    with serving(unpacked, point) as (port, log):
        status = push(port, b"neither a finding nor a command")
        told = lines(log)

    assert status == 200
    assert [one["message"].partition(":")[0] for one in told] == ["Firebreak starts", "unreadable message"]


def test_a_finding_is_answered_with_a_record(unpacked: Path) -> None:
    """One on GKE, which is not ours, so that nobody has to be asked."""
    cluster = "//container.googleapis.com/projects/shop-prod/locations/europe-west1/clusters/shop"
    body = notification_v2(malicious_binary_finding(Scene(resource_name=cluster)))
    with serving(unpacked, "on_finding") as (port, log):
        status = push(port, body)
        told = lines(log)

    assert status == 200
    assert [(one["phase"], one["record"]["finding"]["category"]) for one in told if "record" in one] == [
        ("declined", "Execution: Added Malicious Binary Executed")
    ]
