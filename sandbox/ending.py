"""Programs that are started for a while, and end with whoever started them, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ENDS_WITHIN = 5.0


def leave_in_order() -> None:
    """From now on the first signal to end unwinds what is under way; those that follow do not disturb that."""
    for number in ENDS:
        signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A signal to end waits until this is over: what is being started must first have somebody who stops it."""
    told: list[int] = []
    before = {number: signal.signal(number, lambda one, _: told.append(one)) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if told:
            signal.raise_signal(told[0])


def stop(leader: subprocess.Popen[bytes]) -> None:
    """End a program that was started in a session of its own, and all that it has started."""
    leader.terminate()
    with suppress(subprocess.TimeoutExpired):
        leader.wait(timeout=_ENDS_WITHIN)
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
