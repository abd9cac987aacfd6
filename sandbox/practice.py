"""A place to practise in: a sandbox that stays, policies of one's own, and findings when one wants them."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import grpc
from google.api_core import exceptions
from google.cloud import securitycenter_v2
from google.cloud.securitycenter_v2.services.security_center.transports import SecurityCenterGrpcTransport

from firebreak.adapters.proxies import DIRECT
from firebreak.cli.ending import leave_in_order, undisturbed
from firebreak.core.errors import Refused, Transient
from sandbox.blueprint import digest_of
from sandbox.ending import stop
from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2
from sandbox.world import World

ROOT = Path(__file__).resolve().parents[1]
WORLD = ROOT / "sandbox" / "worlds" / "practice.yaml"
ENVIRONMENT = "environment"
_LAST_EXPORT = "export VIRUSTOTAL_HOST="
_STARTS_WITHIN = 30.0
_ANSWERS_WITHIN = 10.0
_BAD_IMAGE = 8


def open_practice(folder: Path) -> str:
    """Make the folder and serve a world from it, until it is removed; what to type next. Raises Refused, Transient."""
    if folder.exists():
        message = f"{folder}: it exists already; name a folder that does not"
        raise Refused(message)
    if set("?#") & set(str(folder.resolve())):
        message = f"{folder}: a path with ? or # cannot be where evidence is kept; name another folder"
        raise Refused(message)
    leave_in_order()
    place = folder.resolve()
    with ExitStack() as begun:
        begun.callback(shutil.rmtree, place, ignore_errors=True)
        shutil.copytree(ROOT / "policies", place / "policies")
        log = place / "sandbox.log"
        _serve(place, log, begun)
        exports = [
            *_exported(log),
            *(f"export {key}={shlex.quote(value)}" for key, value in own_settings(place).items()),
        ]
        (place / ENVIRONMENT).write_text("\n".join(exports) + "\n", encoding="utf-8")
        begun.pop_all()
    return f"{folder}: a Google Cloud to practise on, until this folder is removed\n  source {folder}/{ENVIRONMENT}"


def _serve(place: Path, log: Path, begun: ExitStack) -> None:
    """Start the sandbox, which outlives this command; where the rest does not come about, it is stopped."""
    with log.open("wb") as written, undisturbed():
        sandbox = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "sandbox", str(WORLD), str(place)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        begun.callback(stop, sandbox)


def own_settings(place: Path) -> dict[str, str]:
    """Environment variables that point Firebreak at this folder only."""
    return {
        "FIREBREAK_POLICIES": str(place / "policies"),
        "FIREBREAK_LEDGER": f"sqlite:///{place / 'ledger.sqlite'}",
        "FIREBREAK_EVIDENCE": f"file://{place / 'evidence'}",
        "XDG_STATE_HOME": str(place / "state"),
        "VIRUSTOTAL_API_KEY": "practice",
        "GRPC_VERBOSITY": "NONE",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _exported(log: Path) -> list[str]:
    """The `export` lines that the sandbox prints once it serves; raises Transient if it does not start."""
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        said = log.read_text(encoding="utf-8")
        if _LAST_EXPORT in said and said.endswith("\n"):
            return said.splitlines()
        time.sleep(0.05)
    message = f"the sandbox did not start: {log.read_text(encoding='utf-8')[-500:]}"
    raise Transient(message)


def attack(host: str, service: str, *, sha256: str, save: Path | None) -> str:
    """Have the local SCC find malware on a service; what it holds now. Raises Refused, Transient."""
    running = sorted(name.rpartition("/")[2] for name in World.load(WORLD).services)
    if service not in running:
        message = f"no service {service} runs in the practice cloud; there are {', '.join(running)}"
        raise Refused(message)
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=30)
    scene = Scene(
        workload=f"services/{service}",
        finding_id=secrets.token_hex(16),
        event_time=moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        create_time=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        digest=digest_of(_BAD_IMAGE),
        image=f"europe-docker.pkg.dev/shop-prod/apps/{service}:latest",
        contact=f"{service}-oncall@shop.example",
        sha256=sha256,
    )
    pair = malicious_binary_finding(scene)
    _create(host, scene, pair["finding"])
    if save:
        save.write_text(json.dumps(json.loads(notification_v2(pair)), indent=2) + "\n", encoding="utf-8")
    return f"Security Command Center holds a finding on {service}: {scene.category}; `firebreak sweep` answers it"


def _create(host: str, scene: Scene, finding: object) -> None:
    parent = scene.name.partition("/findings/")[0]
    made = securitycenter_v2.Finding.from_json(json.dumps(finding))
    with grpc.insecure_channel(host, DIRECT) as channel:
        client = securitycenter_v2.SecurityCenterClient(transport=SecurityCenterGrpcTransport(channel=channel))
        try:
            client.create_finding(
                parent=parent, finding_id=scene.finding_id, finding=made, timeout=_ANSWERS_WITHIN, retry=None
            )
        except exceptions.GoogleAPICallError as fault:
            message = f"the local SCC at {host} did not create the finding: {fault.message}"
            kind = Transient if isinstance(fault, exceptions.ServerError) else Refused
            raise kind(message) from None
