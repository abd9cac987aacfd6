"""How a command ends when it is told to before its time: in order, so that what it made is taken away first."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_in_order() -> None:
    """From now on the first signal to end unwinds what is under way; those that follow do not disturb that."""
    for number in ENDS:
        signal.signal(number, _leave)


@contextmanager
def leaving_in_order() -> Iterator[None]:
    """The same for a while; at its end also where what the signal raised was swallowed, as by a callback of C."""
    told: list[int] = []
    before = {number: signal.getsignal(number) for number in ENDS}

    def leave(number: int, frame: FrameType | None) -> None:
        told.append(number)
        _leave(number, frame)

    for number in ENDS:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        _raise(told[0])


def _leave(number: int, _frame: FrameType | None) -> None:
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)
    _raise(number)


def _raise(number: int) -> NoReturn:
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
