"""A clock on which pauses cost nothing, so that no test waits for what it waits for."""

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


class Clock:
    """In the place of `time`: whoever sleeps has slept at once, and as much later it is for all.

    Only the test's own thread is spared: others run beside something that really takes its time, and sleep as they are.
    """

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            self.skip(seconds)
        else:
            time.sleep(seconds)

    def skip(self, seconds: float) -> None:
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
