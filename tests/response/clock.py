"""A clock on which pauses cost little, so that no test waits for what it waits for."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_ROOMS = ("firebreak.adapters.cloud_run.", "firebreak.adapters.google.", "firebreak.ports.", "firebreak.response.")
_OF_THE_WORLD = ("sandbox.inventory", "sandbox.cloud_run.operations")
"""What goes by the clock: whatever waits for Google, and the sandbox's operations, which end on it."""
_FASTER = 10
"""By how much a pause beside others is shorter than it says: these go on, and have budgets on the same clock."""


class Clock:
    """In the place of `time`: whoever sleeps has slept at once, and as much later it is for all.

    So it is in the test's own thread. A thread beside others really sleeps for a part of it, and the clock is then
    where the pause ends: pauses at the same time are one, and what takes its time beside them is given some.
    """

    def __init__(self) -> None:
        self.skipped = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        ends = self.monotonic() + seconds
        if threading.current_thread() is not threading.main_thread():
            time.sleep(seconds / _FASTER)
        with self._lock:
            self.skipped += max(0.0, ends - self.monotonic())

    def skip(self, seconds: float) -> None:
        with self._lock:
            self.skipped += seconds


@contextmanager
def on_a_clock() -> Iterator[Clock]:
    """Everything that waits goes by this clock meanwhile."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patches:
        for name, module in list(sys.modules.items()):
            if (name.startswith(_ROOMS) or name in _OF_THE_WORLD) and getattr(module, "time", None) is time:
                patches.setattr(module, "time", clock)
        yield clock
