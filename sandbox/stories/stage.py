"""What a story plays on: a sandbox, the real function under functions-framework, and the real command line."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from google.cloud import run_v2

from firebreak.cli.ending import undisturbed
from firebreak.cli.screens.story import Narrator
from firebreak.core.errors import Transient
from sandbox.blueprint import digest_of
from sandbox.cloud_run.reachability import reachable_revisions
from sandbox.deliver import deliver
from sandbox.ending import stop
from sandbox.scc.notifications import Pair, Scene, malicious_binary_finding, notification_v2, push_body
from sandbox.scc.security_center import put_finding
from sandbox.server import Sandbox
from sandbox.wire import Call
from sandbox.world import World

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "projects/firebreak-demo/topics/incidents"
CONFIG_FILE = (
    'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n'
    'drill: {source: "9999", projects: [shop-prod]}\n'
)
_STARTS_WITHIN = 30.0
_JSON = {"Content-Type": "application/json"}
_LOOPBACK = "127.0.0.1,localhost"
# Whatever points Firebreak, Google's clients or the way to them elsewhere stays out of a story.
_FOREIGN = ("FIREBREAK_", "K_SERVICE", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "VIRUSTOTAL_", "PYTHONPATH")
_OWN = frozenset({"name", "uid", "labels", "annotations", "ingress", "template", "traffic", "default_uri_disabled"})


class NotStarted(Transient):
    """The function did not come up; the text ends with what it said."""


class Stage:
    """A context manager: inside it the function runs, and everything is thrown away after."""

    def __init__(
        self,
        narrator: Narrator,
        world: str = "checkout_compromised",
        service: str = "checkout",
        policy: str | None = None,
    ) -> None:
        """`world` is a file of `sandbox/worlds/`, `service` what it is about; `policy`, if given, decides alone."""
        self.narrator = narrator
        self._policy = policy
        self.service = service
        self.world = World.load(ROOT / "sandbox" / "worlds" / f"{world}.yaml")
        self.sandbox = Sandbox(self.world)
        self._port = _free_port()
        self._all = ExitStack()

    def __enter__(self) -> Self:
        """Start the sandbox and the function; if either fails, nothing is left behind."""
        with ExitStack() as started:
            self._folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="firebreak-demo-")))
            started.enter_context(self.sandbox)
            self.environment = self._environment()
            function = self._start(started)
            self._wait_until_it_answers(function)
            self._all = started.pop_all()
        return self

    def _environment(self) -> dict[str, str]:
        policies = self._folder / "policies"
        if self._policy is None:
            shutil.copytree(ROOT / "policies", policies)
        else:
            policies.mkdir()
            (policies / "10.yaml").write_text(self._policy, encoding="utf-8")
        (policies / "firebreak.yaml").write_text(CONFIG_FILE, encoding="utf-8")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN) and not name.endswith("_EMULATOR_HOST")
        }
        return {
            **kept,
            **self.sandbox.environment(),
            "FIREBREAK_POLICIES": str(policies),
            "FIREBREAK_LEDGER": f"sqlite:///{self._folder / 'ledger.sqlite'}",
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
            "VIRUSTOTAL_API_KEY": "demo",
            "XDG_STATE_HOME": str(self._folder),
            "GRPC_VERBOSITY": "NONE",
            "NO_PROXY": _LOOPBACK,
            "no_proxy": _LOOPBACK,
        }

    def _start(self, started: ExitStack) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "functions_framework", "--source", str(ROOT / "main.py")]
        command += ["--target", "on_finding", "--signature-type", "cloudevent"]
        command += ["--host", "127.0.0.1", "--port", str(self._port)]
        log = started.enter_context(self._log.open("wb"))
        with undisturbed():
            # In a session of its own: what is typed to end the story reaches the story, which ends the function.
            function = subprocess.Popen(  # noqa: S603 - our own module
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            started.callback(stop, function)
        return function

    def _wait_until_it_answers(self, function: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < until and function.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=0.2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        message = "\n".join(["the function did not start:", *self.last_words()])
        raise NotStarted(message)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the function and the sandbox, and remove what they wrote."""
        self._all.close()

    @property
    def _log(self) -> Path:
        return self._folder / "function.log"

    def last_words(self) -> list[str]:
        """The end of what the function wrote to its log."""
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]

    def report_finding(self, scene: Scene | None = None, image: int = 8) -> Pair:
        """SCC finds what the scene says, a minute ago, in the image of that number: 8 is the bad revision's."""
        event = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
        placed = replace(scene or Scene(), event_time=event, create_time=event, digest=digest_of(image))
        pair = malicious_binary_finding(placed)
        put_finding(self.world, pair["finding"], pair["resource"])
        return pair

    def publish(self, pair: Pair) -> int:
        """Deliver the notification as Pub/Sub pushes it; the HTTP status of the answer."""
        return self.deliver(push_body(notification_v2(pair)))

    def deliver(self, body: bytes) -> int:
        """Push one message to the function; the HTTP status of the answer."""
        status, _ = deliver(f"http://127.0.0.1:{self._port}/", body, _JSON)
        return status

    def firebreak(self, *words: str) -> tuple[int, Any]:
        """Run the command line as a person would; its exit code and what it says, read as JSON."""
        command = [sys.executable, "-m", "firebreak", *words, "--json"]
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, {"says": done.stdout + done.stderr}

    def announced(self) -> list[dict[str, Any]]:
        """The records on the incidents topic, in order."""
        return [json.loads(message["data"]) for message in self.world.topics.get(TOPIC, [])]

    def updates(self) -> list[Call]:
        """Every UpdateService that was meant, not only tried out."""
        calls = self.sandbox.wire.calls_to("*/UpdateService")
        return [call for call in calls if not call.request.validate_only]

    def reachable(self) -> dict[str, set[str]]:
        """The revisions that requests can reach in the world as it is, with the ways that lead there."""
        return reachable_revisions(self.world, self.service)

    def is_public(self) -> bool:
        """Whether everybody may invoke the service."""
        return any("allUsers" in binding.members for binding in self.world.service(self.service).policy.bindings)

    def settings(self) -> dict[str, Any]:
        """All that a person could have set on the service, comparable; traffic without its order."""
        whole = run_v2.Service.to_dict(self.world.service(self.service).service)
        return {key: sorted(whole[key], key=str) if key == "traffic" else whole[key] for key in _OWN if key in whole}

    def revisions(self) -> list[str]:
        """The names of the service's revisions."""
        return [one.name.rpartition("/")[2] for one in self.world.service(self.service).revisions]

    def traffic(self) -> list[str]:
        """Where requests go now, in words: what is set, and what serves."""
        service = self.world.service(self.service).service
        wishes = [_wish(one) for one in service.traffic]
        serves = [f"{one.revision} {one.percent} %" for one in service.traffic_statuses if one.percent]
        tags = [f"{one.tag} → {one.revision}" for one in service.traffic_statuses if one.tag]
        return [
            f"settings: {'; '.join(wishes)}",
            f"serves:   {'; '.join(serves) or 'nothing'}",
            f"tags:     {'; '.join(tags) or 'none'}",
        ]


def _wish(target: run_v2.TrafficTarget) -> str:
    tag = f"tag {target.tag}" if target.tag else ""
    percent = f"{target.percent} %" if target.percent or not tag else ""
    return f"{target.revision or 'LATEST'} {', '.join(filter(None, (percent, tag)))}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
