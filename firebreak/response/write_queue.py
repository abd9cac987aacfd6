"""Where findings that one process has at work queue: for the slots of an hour, and for the writes that Google takes.

The most severe goes first. Nobody waits for long: a stream of severe findings, or one that hangs, holds up no other for
good; what does not get its turn in time is delivered again.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from firebreak.core.cloud_run.target import Target
from firebreak.core.errors import Throttled
from firebreak.core.findings.finding import Finding
from firebreak.ports.deadline import Deadline

_SECONDS = 20.0
"""How long a write is waited for: shorter than a lease, which nothing extends meanwhile."""
_MOST = 8
"""Of one region: half of what an instance has at work, so that the rest is there for the other regions."""
_CLOSED = (5.0, 10.0)
"""Seconds without a write after Google refused one; by chance, so that several instances do not come back at once."""
_SPACING = 1.0
"""Seconds between two writes from then on: Google takes 60 a minute of a project and region, whoever sends them."""
_CALM = 60.0
"""Seconds after which a region where nothing was refused any more is as any other."""
_Place = tuple[str, str]


class WriteQueue:
    """One for each process. What others write, other processes and people, is told by Google's refusals."""

    def __init__(self) -> None:
        """Nothing is at work."""
        self._lock = threading.Lock()
        self._arrivals = itertools.count()
        self._coming: dict[str, Finding] = {}
        self._waiting: list[tuple[_Place, int, int]] = []
        self._opens: dict[_Place, float] = {}

    @contextmanager
    def coming(self, worker: str, finding: Finding) -> Iterator[None]:
        """While the finding is on its way to its slots; `passed` ends that earlier."""
        with self._lock:
            self._coming[worker] = finding
        try:
            yield
        finally:
            self.passed(worker)

    def passed(self, worker: str) -> None:
        """It has its slots, or needs none."""
        with self._lock:
            self._coming.pop(worker, None)

    def before(self, worker: str) -> tuple[Target, ...]:
        """The targets of findings that are on their way to their slots, and more severe than the worker's own."""
        with self._lock:
            own = self._coming.get(worker)
            coming = [one.target for one in self._coming.values() if own and one.severity_rank < own.severity_rank]
        return tuple(one for one in coming if isinstance(one, Target))

    def refused(self, target: Target) -> None:
        """Google takes no more writes of this project and region for now."""
        with self._lock:
            self._opens[target.project, target.location] = time.monotonic() + random.uniform(*_CLOSED)  # noqa: S311

    def waited(self, finding: Finding, target: Target, deadline: Deadline) -> bool:
        """Wait until a write to the target may go out; whether that took any time. Raises Throttled if it may not."""
        place, until = (target.project, target.location), deadline.sooner(_SECONDS)
        with self._lock:
            if place not in self._opens:
                return False
            own = (place, finding.severity_rank, next(self._arrivals))
            self._waiting.append(own)
        try:
            while not self._goes(own):
                if until.passed or not until.waits:
                    raise self._later(place)
                until.pause(0.1)
        finally:
            with self._lock:
                self._waiting.remove(own)
        return True

    def _goes(self, own: tuple[_Place, int, int]) -> bool:
        place, now = own[0], time.monotonic()
        with self._lock:
            ahead = sum(one < own for one in self._waiting if one[0] == place)
            opens = self._opens.get(place, -_CALM)
            if now - opens > _CALM:
                self._opens.pop(place, None)
                return True
            if ahead >= _MOST:
                raise self._later(place)
            if ahead or now < opens:
                return False
            self._opens[place] = now + _SPACING
            return True

    @staticmethod
    def _later(place: _Place) -> Throttled:
        return Throttled(f"Google takes no more writes in {place[1]} of {place[0]} this minute")
