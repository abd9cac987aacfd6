"""One absolute deadline, handed down to every call it covers."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The moment that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self, at_most: float = float("inf")) -> float:
        """Seconds left, never below zero and never above `at_most`."""
        return max(0.0, min(at_most, self.at - time.monotonic()))

    def sooner(self, seconds: float) -> Deadline:
        """This deadline, or that many seconds from now if that is sooner."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining() <= 0.0
