"""One absolute deadline, handed down to every call it covers."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds; and whether anything that takes a while is waited for until then."""

    at: float
    waits: bool = True

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The moment that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self, at_most: float = float("inf")) -> float:
        """Seconds left, never below zero and never above `at_most`."""
        return max(0.0, min(at_most, self.at - time.monotonic()))

    def sooner(self, seconds: float) -> Deadline:
        """This deadline, or that many seconds from now if that is sooner."""
        return Deadline(min(self.at, time.monotonic() + seconds), self.waits)

    def without_waiting(self) -> Deadline:
        """The same moment for one look at each thing: what would have to be waited for is left to the next look."""
        return Deadline(self.at, waits=False)

    def waiting(self, seconds: float) -> Deadline:
        """So many seconds, at most until this deadline, for what may be waited for."""
        return Deadline(self.sooner(seconds).at)

    def pause(self, seconds: float) -> None:
        """Sleep for so long, as far as there is time and it waits."""
        if self.waits:
            time.sleep(self.remaining(seconds))

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining() <= 0.0
