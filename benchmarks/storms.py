"""Many findings at one instance at once: what becomes of each, in which order they are contained, and what it takes.

Messages wait in a subscription as Pub/Sub's do, and come again after ten seconds, then twenty; Cloud Run takes sixty
writes a minute of a project and region and refuses the next.
"""

from __future__ import annotations

import heapq
import resource
import statistics
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from unittest.mock import patch

from benchmarks.line import LIMITS, line
from firebreak.core.errors import Transient
from sandbox.scc.notifications import Pair
from sandbox.wire import Call, Refusal
from tests.response import clock
from tests.response.clock import Clock
from tests.response.harness import Line
from tests.response.test_sweep import service_of

AT_ONCE = 16
"""Findings that one instance takes at a time, as Terraform sets it."""
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
_DELIVERIES = 20
"""Before Pub/Sub gives a message to the dead letters."""
_A_MINUTE = 60
_FULL = "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per region'"


@dataclass
class Storm:
    """What became of each finding, and what that took.

    Attributes:
        seconds: of the processor, without the local cloud's.
        minutes: on the clock, until the last was answered.
        written: severity to when each was written, in minutes.
        refused: writes beyond the quota, which Cloud Run did not take.
    """

    findings: int
    seconds: float = 0.0
    minutes: float = 0.0
    memory: float = 0.0
    phases: Counter[str] = field(default_factory=Counter)
    contained: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    written: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0
    lost: int = 0

    @property
    def row(self) -> str:
        """One line of the table."""
        severities = ", ".join(f"{self.contained[one]} {one}" for one in reversed(SEVERITIES) if self.contained[one])
        phases = ", ".join(f"{count} {phase}" for phase, count in sorted(self.phases.items()))
        whens = (
            f"{one} {statistics.median(self.written[one]):.1f}" for one in reversed(SEVERITIES) if one in self.written
        )
        each = f"{self.seconds / self.findings * 1000:>5.0f} ms each, {self.memory:>4.0f} MiB at most, {self.lost} lost"
        took = f"{self.minutes:.1f} minutes, {self.deliveries} deliveries, {self.refused} writes refused"
        return f"{each}; {took}; {phases}; contained: {severities}; written after, median minutes: {', '.join(whens)}"


class Quota:
    """So many writes a minute of a project and region."""

    def __init__(self, clock: Clock, a_minute: int = _A_MINUTE) -> None:
        """Nothing was written yet."""
        self._clock, self._a_minute = clock, a_minute
        self._lock = threading.Lock()
        self._taken: dict[str, deque[float]] = {}
        self.refused = 0

    def __call__(self, call: Call) -> None:
        """Raises Refusal for one more than that."""
        place, now = call.request.service.name.partition("/services/")[0], self._clock.monotonic()
        with self._lock:
            taken = self._taken.setdefault(place, deque())
            while taken and now - taken[0] >= _A_MINUTE:
                taken.popleft()
            if len(taken) >= self._a_minute:
                self.refused += 1
                raise Refusal("RESOURCE_EXHAUSTED", _FULL)
            taken.append(now)


class _Subscription:
    """Messages, and when each is due; what is not acknowledged comes again."""

    def __init__(self, clock: Clock, pairs: list[Pair]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._left = len(pairs)
        self._due = [(0.0, number, 0, pair) for number, pair in enumerate(pairs)]

    def pulled(self) -> Iterator[tuple[int, int, Pair]]:
        """One message after the other for one who takes them, until all are acknowledged."""
        while self._left:
            with self._lock:
                now = self._clock.monotonic()
                one = heapq.heappop(self._due) if self._due and self._due[0][0] <= now else None
            if one is None:
                self._clock.sleep(0.5)
            else:
                yield one[1:]

    def acknowledged(self) -> None:
        with self._lock:
            self._left -= 1

    def again(self, number: int, attempt: int, pair: Pair) -> None:
        due = self._clock.monotonic() + min(600.0, 10.0 * 2**attempt)
        with self._lock:
            heapq.heappush(self._due, (due, number, attempt + 1, pair))


def findings(on: Line, count: int, *, one_service: bool) -> Iterator[Pair]:
    """From the mildest to the most severe and round again, so that the order of arrival favours none."""
    for number in range(count):
        name = "checkout" if one_service else f"storm-{number:05d}"
        if not one_service:
            on.world.add_service(service_of(name))
        severity = SEVERITIES[number % len(SEVERITIES)]
        yield on.finding(finding_id=f"{number:032x}", workload=f"services/{name}", severity=severity)


def storm(
    count: int, *, one_service: bool, config: str = LIMITS, a_minute: int = _A_MINUTE, faster: float = 1.0
) -> Storm:
    """So many findings at one instance.

    Whoever pauses pauses `faster` than whoever works: where that is more than 1, patience with those at work is short.
    """
    found = Storm(count)
    with patch.object(clock, "_FASTER", faster), line(config) as on:
        pairs = list(findings(on, count, one_service=one_service))
        severities = {pair["finding"]["resourceName"].rpartition("/")[2]: pair["finding"]["severity"] for pair in pairs}
        quota, lock = Quota(on.clock, a_minute), threading.Lock()
        began, since = time.process_time() - on.sandbox.wire.processor, on.clock.monotonic()

        def written(call: Call) -> None:
            quota(call)
            severity = severities[call.request.service.name.rpartition("/")[2]]
            with lock:
                found.written.setdefault(severity, []).append((on.clock.monotonic() - since) / 60)

        on.sandbox.wire.watch("*/UpdateService", written)
        subscription = _Subscription(on.clock, pairs)

        def worker() -> None:
            for number, attempt, pair in subscription.pulled():
                phase, severity = "to the dead letters", pair["finding"]["severity"]
                try:
                    phase = on.respond(pair).phase
                except Transient:
                    if attempt + 1 < _DELIVERIES:
                        subscription.again(number, attempt, pair)
                        phase = ""
                with lock:
                    found.deliveries += 1
                    found.lost += phase == "to the dead letters"
                    found.phases.update([phase] if phase else [])
                    found.contained.update([severity] if phase == "contained" else [])
                if phase:
                    subscription.acknowledged()

        with ThreadPoolExecutor(AT_ONCE) as instance:
            for one in [instance.submit(worker) for _ in range(AT_ONCE)]:
                one.result()
        found.seconds = time.process_time() - on.sandbox.wire.processor - began
        found.minutes, found.memory = (on.clock.monotonic() - since) / 60, memory()
        found.refused = quota.refused
    return found


def memory() -> float:
    """MiB that the process took at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
