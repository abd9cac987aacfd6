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
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.blueprint import digest_of
from sandbox.deliver import deliver
from sandbox.notifications import Pair, Scene, malicious_binary_finding, notification_v2, push_body
from sandbox.security_center import put_finding
from sandbox.server import Sandbox
from sandbox.stories.narrator import Narrator
from sandbox.world import World

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "projects/firebreak-demo/topics/incidents"
CHARTER = 'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n'
_STARTS_WITHIN = 30.0


class Stage:
    """A context manager: inside it the function runs, and everything is thrown away after."""

    def __init__(self, narrator: Narrator, world: str = "checkout_compromised") -> None:
        """`world` is a file of `sandbox/worlds/`."""
        self.narrator = narrator
        self.world = World.load(ROOT / "sandbox" / "worlds" / f"{world}.yaml")
        self.sandbox = Sandbox(self.world)
        self._folder = Path(tempfile.mkdtemp(prefix="firebreak-demo-"))
        self._function: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        """Start the sandbox and the function."""
        self.sandbox.__enter__()
        policies = self._folder / "policies"
        shutil.copytree(ROOT / "policies", policies)
        (policies / "firebreak.yaml").write_text(CHARTER)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("FIREBREAK_", "K_SERVICE"))},
            **self.sandbox.environment(),
            "FIREBREAK_POLICIES": str(policies),
            "FIREBREAK_LEDGER": f"sqlite:///{self._folder / 'ledger.sqlite'}",
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
            "VIRUSTOTAL_API_KEY": "demo",
            "XDG_STATE_HOME": str(self._folder),
            "GRPC_VERBOSITY": "NONE",
        }
        self._port = _free_port()
        self._function = self._start()
        self._wait_until_it_answers(self._function)
        return self

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "functions_framework", "--source", str(ROOT / "main.py"), "--target", "on_finding"]
        command += ["--signature-type", "cloudevent", "--host", "127.0.0.1", "--port", str(self._port)]
        self._log = (self._folder / "function.log").open("wb")
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self._log, stderr=subprocess.STDOUT)  # noqa: S603

    def _wait_until_it_answers(self, function: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < until and function.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=0.2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        message = f"the function did not start:\n{(self._folder / 'function.log').read_text()[-2000:]}"
        raise RuntimeError(message)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the function and the sandbox, and remove what they wrote."""
        if self._function is not None:
            self._function.terminate()
            try:
                self._function.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._function.kill()
            self._log.close()
        self.sandbox.__exit__(kind, value, trace)
        shutil.rmtree(self._folder, ignore_errors=True)

    def report_finding(self, **changes: Any) -> Pair:
        """SCC finds the binary on the checkout service, a minute ago, in the image of the bad revision."""
        event = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
        pair = malicious_binary_finding(Scene(event_time=event, create_time=event, digest=digest_of(8), **changes))
        put_finding(self.world, pair["finding"], pair["resource"])
        return pair

    def publish(self, pair: Pair) -> int:
        """Deliver the notification as Pub/Sub pushes it; the HTTP status of the answer."""
        status, _ = deliver(f"http://127.0.0.1:{self._port}/", push_body(notification_v2(pair)), _JSON)
        return status

    def firebreak(self, *words: str) -> tuple[int, Any]:
        """Run the command line as a person would; its exit code and what it says, read as JSON."""
        command = [sys.executable, str(ROOT / "cli.py"), *words, "--json"]
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

    def traffic(self) -> list[str]:
        """Where requests go now, in words."""
        service = self.world.service("checkout").service
        wishes = [
            f"{one.revision or 'LATEST'} {one.percent} %{f', tag {one.tag}' if one.tag else ''}" for one in service.traffic
        ]
        serves = [f"{one.revision} {one.percent} %" for one in service.traffic_statuses if one.percent]
        tags = [f"{one.tag} → {one.revision}" for one in service.traffic_statuses if one.tag]
        return [
            f"settings: {'; '.join(wishes)}",
            f"serves:   {'; '.join(serves)}",
            f"tags:     {'; '.join(tags) or 'none'}",
        ]


_JSON = {"Content-Type": "application/json"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
