"""The ring in which both functions are measured: their processes, and findings each of its own service and file."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Trip
from sandbox.blueprint import digest_of
from sandbox.deliver import deliver
from sandbox.scc.notifications import Pair, Scene, malicious_binary_finding, notification_v2, push_body
from sandbox.scc.security_center import put_finding
from sandbox.server import Sandbox
from sandbox.world import World

WRITE = "google.cloud.run.v2.Services/UpdateService"
_JSON = {"Content-Type": "application/json"}
_STARTS_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Took:
    """What one delivery took, in seconds from the POST, and MiB; `written` is None where nothing was written."""

    written: float | None
    answered: float
    operation_over: float | None = None
    recorded: float | None = None
    memory: float = 0.0
    asked: Mapping[str, float] = field(default_factory=dict)
    """When the first call of each method arrived."""
    trips: Sequence[Trip] = ()
    """What was asked of a far ledger before the write."""


class Contestant:
    """One function under functions-framework, as it is deployed."""

    def __init__(self, source: Path, environment: Mapping[str, str], log: Path) -> None:
        """Nothing is started yet."""
        self._source, self._environment, self._log = source, environment, log
        self._pid = 0

    def memory(self) -> float:
        """MiB that the larger of its processes, the server's and the worker's, has taken at most."""
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text(encoding="ascii").split()
        tables = [Path(f"/proc/{one}/status").read_text(encoding="ascii") for one in (self._pid, *children)]
        return max(int(table.partition("VmHWM:")[2].split()[0]) for table in tables) / 1024

    @contextmanager
    def running(self) -> Iterator[str]:
        """The address while it runs."""
        port = _free_port()
        command = [sys.executable, "-m", "functions_framework", "--source", str(self._source)]
        command += ["--target", "on_finding", "--signature-type", "cloudevent"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        with (
            self._log.open("ab") as log,
            subprocess.Popen(  # noqa: S603 - Python itself
                command, env={**os.environ, **self._environment}, stdout=log, stderr=log, cwd=self._source.parent
            ) as process,
        ):
            self._pid = process.pid
            try:
                self._wait_until_it_listens(process, port)
                yield f"http://127.0.0.1:{port}/"
            finally:
                process.terminate()
                process.wait(10)

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes], port: int) -> None:
        until = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.002)
        message = f"{self._source} does not come up; see {self._log}"
        raise RuntimeError(message)


class Arena:
    """One sandbox, and findings that are each of a service and a file of their own."""

    def __init__(self, sandbox: Sandbox, trips: Path) -> None:
        """The services are made as they are needed; `trips` is where a far ledger notes what it was asked."""
        self.sandbox = sandbox
        self._trips = trips
        self._made = 0
        self._lock = threading.Lock()

    def finding(self) -> Pair:
        """A finding that SCC holds, on a service with two revisions, of a file that VirusTotal knows as malware."""
        with self._lock:
            self._made += 1
            name, sha256 = f"shop-{self._made:05d}", f"{self._made:064x}"
        world = self.sandbox.world
        more = World.load(
            {
                "settle_seconds": world.settle_seconds,
                "projects": {"shop-prod": {"number": "424242424242"}},
                "services": [
                    {
                        "name": f"projects/shop-prod/locations/europe-west1/services/{name}",
                        "public": True,
                        "updated": "-3h",
                        "revisions": [
                            {"name": f"{name}-00001-good", "image": 7, "created": "-10d"},
                            {"name": f"{name}-00002-bad", "image": 8, "created": "-3h"},
                        ],
                        "traffic": [{"latest": True, "percent": 100}],
                    }
                ],
                "hashes": {sha256: {"malicious": 48, "label": "trojan.xmrig", "families": ["xmrig"]}},
            }
        )
        event = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
        pair = malicious_binary_finding(
            Scene(
                workload=f"services/{name}",
                finding_id=f"{self._made:032x}",
                event_time=event.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                sha256=sha256,
                digest=digest_of(8),
            )
        )
        with world.lock:
            world.services.update(more.services)
            world.hashes.update(more.hashes)
        put_finding(world, pair["finding"], pair["resource"])
        return pair

    def delivered(self, url: str, pair: Pair, began: float | None = None) -> Took:
        """Deliver its message and wait for the answer; `began` is when the clock was started, if it was before."""
        seen = len(self.sandbox.wire.calls)
        body = push_body(notification_v2(pair), message_id=f"bench-{self._made}")
        began = time.monotonic() if began is None else began
        status, text = deliver(url, body, _JSON)
        answered = time.monotonic() - began
        if status not in (200, 204):
            message = f"the function answered {status}: {text}"
            raise RuntimeError(message)
        calls = self.sandbox.wire.calls[seen:]
        name = pair["finding"]["resourceName"].rpartition("/")[2]
        writes = [one.at for one in calls if one.method == WRITE and name in str(one.request)]
        told = [one.at for one in calls if one.method.endswith("/Publish")]
        asked = {one.method.rpartition("/")[2]: one.at - began for one in reversed(calls)}
        if not writes:
            return Took(None, answered, asked=asked)
        accepted = writes[0] + self._latency(WRITE)
        over = accepted + self.sandbox.world.settle_seconds
        trips = self._trips_between(began, writes[0])
        return Took(writes[0] - began, answered, over - began, told[0] - began if told else None, 0.0, asked, trips)

    def _trips_between(self, began: float, ended: float) -> Sequence[Trip]:
        lines = self._trips.read_text(encoding="utf-8").splitlines() if self._trips.is_file() else []
        noted = [(float(at), Trip(*rest)) for at, *rest in (line.split() for line in lines)]
        return [one for at, one in noted if began <= at < ended]

    def _latency(self, method: str) -> float:
        return self.sandbox.world.latencies.get(method, 0.0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
