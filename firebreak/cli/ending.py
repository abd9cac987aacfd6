"""How a command ends when it is told to before its time: in order, so that what it made is taken away first."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LATER = signal.SIGALRM
_PAUSE_SECONDS = 0.05


def leave_in_order() -> None:
    """From now on the first signal to end unwinds what is under way; those that follow do not disturb that."""
    for number in ENDS:
        signal.signal(number, _leave)


@contextmanager
def leaving_in_order() -> Iterator[None]:
    """The same for a while; at its end also where what the signal raised was swallowed, as by a callback of C."""
    told: list[int] = []
    before = {number: signal.getsignal(number) for number in (*ENDS, _LATER)}

    def leave(number: int, frame: FrameType | None) -> None:
        told.append(number)
        _leave(number, frame)

    for number in ENDS:
        signal.signal(number, leave)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        _raise(told[0])


def _leave(number: int, frame: FrameType | None) -> None:
    """End here; but a moment later where a call of gRPC is under way, for what it has just locked would stay locked."""
    if _is_calling(frame):
        signal.signal(_LATER, lambda _, then: _leave(number, then))
        signal.setitimer(signal.ITIMER_REAL, _PAUSE_SECONDS)
        return
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)
    _raise(number)


def _is_calling(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "grpc":
            return True
        frame = frame.f_back
    return False


def _raise(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A signal to end waits until this is over: what is being started must first have somebody who stops it."""
    told: list[int] = []
    before = {number: signal.signal(number, lambda one, _: told.append(one)) for number in (*ENDS, _LATER)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if told:
            signal.raise_signal(told[0])
