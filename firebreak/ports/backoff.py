"""Pauses between two looks at something that takes a while: each longer than the last, and none beyond a deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass

from firebreak.ports.deadline import Deadline


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next look; it remembers the last wait.

    Attributes:
        until: when there is no more waiting.
        seconds: the next pause.
        longest: no pause is longer, in seconds.
        growth: how many times longer each pause is than the one before.
    """

    until: Deadline
    seconds: float = 0.1
    longest: float = 1.0
    growth: float = 1.5

    def wait(self) -> bool:
        """Sleep for the next pause; False, at once, if it would not end before the deadline, or that does not wait."""
        if not self.until.waits or self.until.remaining() <= self.seconds:
            return False
        time.sleep(self.seconds)
        self.seconds = min(self.seconds * self.growth, self.longest)
        return True
