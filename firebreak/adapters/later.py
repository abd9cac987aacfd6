"""Adapters that are loaded when they are needed: Google's packages take longer to import than containment to decide."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

T = TypeVar("T")
_one_at_a_time = ThreadPoolExecutor(1, thread_name_prefix="load")
"""Side by side all would be ready as late as the last; in turn, the first calls are out while the rest loads."""
_lock = threading.Lock()


class Later:
    """Stands for what `make` gives, which is called when something is first asked of it, or ahead of that.

    `make` imports and constructs, and asks nothing of another one. What it raises, who asked gets; the next one has it
    tried again, as a process that is out of files or memory for a moment is not for good.
    """

    def __init__(self, make: Callable[[], object]) -> None:
        """Nothing is loaded yet, and no thread started: the server may still fork."""
        self._make = make
        self._made: Future[object] | None = None

    def load(self) -> Future[object]:
        """Have it loaded, after what was asked for before it."""
        with _lock:
            if self._made is None or (self._made.done() and self._made.exception()):
                self._made = _one_at_a_time.submit(_made, self._make)
            return self._made

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it stands for has
        """What that has, once it is there."""
        return getattr(self.load().result(), name)


def _made(make: Callable[[], object]) -> object:
    """What it makes, at the least expense of whoever has a request to send meanwhile.

    A thread that waits for the processor has it ten times sooner than Python would give it. And nothing is collected:
    the collector would look through all that is there again and again, a quarter of the time, and find nothing to free.
    What is loaded stays, so that it is not looked at later either.
    """
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(interval / 10)
    gc.disable()
    try:
        return make()
    finally:
        gc.freeze()
        if collects:
            gc.enable()
        sys.setswitchinterval(interval)


def later(make: Callable[[], T]) -> T:
    """What `make` gives, made when something is first asked of it."""
    return cast("T", Later(make))


def load_ahead(*those: object) -> None:
    """Begin to load what will be needed, in this order; what is there already takes no time."""
    for one in those:
        if type(one) is Later:
            one.load()
