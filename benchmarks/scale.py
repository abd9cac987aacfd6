"""Storms and growth: what many findings at once, or one large service, cost an instance in time and memory.

Firebreak's line in one process with the real clients over the wire of the sandbox, on a SQLite ledger; its clock skips
what is only waited for, so that all seconds are the processor's. The sandbox is in the same process: both figures are
above what a function takes. Exits with 1 where a finding is lost.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from firebreak.core.errors import Transient
from firebreak.core.findings.finding import parse_notification
from firebreak.core.incidents.incident import Incident
from sandbox.scc.notifications import Pair, notification_v2
from sandbox.world import World
from tests.response.harness import ALWAYS, GOOD, ON_LATEST, REVISIONS, Line, Lines, revision, world_of
from tests.response.test_sweep import service_of

AT_ONCE = 16
"""Findings that one instance takes at a time, as Terraform sets it."""
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
DELIVERIES = 20
"""Before Pub/Sub gives a message to the dead letters."""
LIMITS = "ceiling: enforce\nlimits: {per_project_per_hour: 5, per_hour: 20}"
WIDE = "ceiling: enforce\nlimits: {per_project_per_hour: 100000, per_hour: 100000}"


@dataclass
class Storm:
    """What became of each finding, and what that took."""

    findings: int
    seconds: float = 0.0
    memory: float = 0.0
    phases: Counter[str] = field(default_factory=Counter)
    contained: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    @property
    def row(self) -> str:
        """One line of the table."""
        severities = ", ".join(f"{self.contained[one]} {one}" for one in reversed(SEVERITIES) if self.contained[one])
        phases = ", ".join(f"{count} {phase}" for phase, count in sorted(self.phases.items()))
        each = f"{self.seconds / self.findings * 1000:>6.0f} ms each, {self.memory:>4.0f} MiB at most"
        return f"{each}, {self.lost} lost; {phases}; contained: {severities}"


@contextmanager
def _line(config: str = WIDE) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder, Lines(Path(folder))(policy=ALWAYS, config=config) as on:
        yield on


def _findings(on: Line, count: int, *, one_service: bool) -> Iterator[Pair]:
    """From the mildest to the most severe and round again, so that the order of arrival favours none."""
    for number in range(count):
        name = "checkout" if one_service else f"storm-{number:05d}"
        if not one_service:
            on.world.add_service(service_of(name))
        severity = SEVERITIES[number % len(SEVERITIES)]
        yield on.finding(finding_id=f"{number:032x}", workload=f"services/{name}", severity=severity)


def _delivered(on: Line, pair: Pair) -> Incident:
    """Until it is acknowledged, as Pub/Sub does; raises Transient where the last delivery is not."""
    for _ in range(DELIVERIES - 1):
        try:
            return on.respond(pair)
        except Transient:
            time.sleep(0.05)
    return on.respond(pair)


def storm(count: int, *, one_service: bool, config: str = LIMITS) -> Storm:
    """So many findings at one instance."""
    found = Storm(count)
    with _line(config) as on:
        pairs = list(_findings(on, count, one_service=one_service))
        lock = threading.Lock()

        def one(pair: Pair) -> None:
            try:
                incident = _delivered(on, pair)
            except Transient:
                incident = None
            with lock:
                found.lost += incident is None
                found.phases[incident.phase if incident else "to the dead letters"] += 1
                found.contained[pair["finding"]["severity"]] += incident is not None and incident.phase == "contained"

        began = time.process_time()
        with ThreadPoolExecutor(AT_ONCE) as instance:
            list(instance.map(one, pairs))
        found.seconds, found.memory = time.process_time() - began, _memory()
    return found


def _memory() -> float:
    """MiB that the process took at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


GROWN: Mapping[str, int] = {"revisions": 1_000, "tags": 600, "related findings": 10_000, "other incidents": 5_000}


def _world(what: str, count: int) -> World:
    if what == "revisions":
        old = tuple(revision(f"checkout-{number:05d}-old", 6, "-30d") for number in range(count))
        return world_of((*old, *REVISIONS))
    tags = tuple({"revision": GOOD, "tag": f"tag-{number}"} for number in range(count if what == "tags" else 0))
    return world_of(traffic=(*ON_LATEST, *tags))


def grown(what: str, count: int) -> tuple[float, str]:
    """Seconds of the processor for one finding with so many of something around it, and what that ended as."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Lines(Path(folder))(_world(what, count), policy=ALWAYS, config=WIDE) as on,
    ):
        for number in range(count if what == "related findings" else 0):
            on.finding(finding_id=f"{number:032x}")
        for number in range(count if what == "other incidents" else 0):
            told = on.finding(finding_id=f"{number:032x}", workload=f"services/other-{number}", held=False)
            on.app.ledger.hear(parse_notification(notification_v2(told)).finding)
        pair = on.finding(finding_id="e" * 32)
        began = time.process_time()
        incident = on.respond(pair)
        return time.process_time() - began, incident.phase


def main() -> int:
    """Print storms, then growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--findings", type=int, default=1_000, help="in the storm over as many services")
    parser.add_argument("--on-one", type=int, default=200, help="in the storm over one service")
    given = parser.parse_args()
    lost = 0
    for name, count, one_service in (
        ("on as many services", given.findings, False),
        ("on one service", given.on_one, True),
    ):
        found = storm(count, one_service=one_service)
        lost += found.lost
        print(f"{count:>6} findings {name:<20}{found.row}", flush=True)
    few = grown("revisions", 0)[0]
    for what, count in GROWN.items():
        seconds, phase = grown(what, count)
        ratio = f"{seconds / few:.1f} times that with none"
        print(
            f"{count:>6} {what:<29}{seconds * 1000:>6.0f} ms, {ratio}, {_memory():.0f} MiB at most; {phase}", flush=True
        )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
