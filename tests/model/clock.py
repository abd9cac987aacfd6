"""The product's view of time, chance and threads, for the length of a test: a clock of its own, and nothing at once.

Sleeping moves the clock and takes no time. What would run beside something else runs at once instead, which is one of
the orders that threads may take: so a history comes out the same each time it is played.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, Self, TypeVar

import pytest

from firebreak.core import serialization
from firebreak.core.secrets import redaction
from firebreak.core.storage_names import NAMES

T = TypeVar("T")
SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
BEGINNING = 1_790_000_000 * SECOND
"""When every history begins: in September 2026."""
_PRODUCT = ("firebreak.core", "firebreak.ledger", "firebreak.ports", "firebreak.response", "enrichment", "responders")


@dataclass
class Clock:
    """The time of a history, in nanoseconds since 1970, and how many ids it has given out; `faults` of threads."""

    now_ns: int = BEGINNING
    ids: int = 0
    faults: list[BaseException] = field(default_factory=list)

    def pass_by(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now_ns += round(max(0.0, seconds) * SECOND)

    def next_id(self) -> int:
        """A number that was not given out before."""
        self.ids += 1
        return self.ids


class _Time:
    """In the place of the module `time`."""

    def __init__(self, clock: Callable[[], Clock]) -> None:
        self._clock = clock

    def time(self) -> float:
        return self._clock().now_ns / SECOND

    def time_ns(self) -> int:
        return self._clock().now_ns

    monotonic, perf_counter = time, time
    monotonic_ns, perf_counter_ns = time_ns, time_ns

    def sleep(self, seconds: float) -> None:
        self._clock().pass_by(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _Ids:
    """In the place of the module `uuid`."""

    def __init__(self, clock: Callable[[], Clock]) -> None:
        self._clock = clock

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self._clock().next_id())

    def __getattr__(self, name: str) -> Any:
        return getattr(uuid, name)


class _Chance:
    """In the place of the module `random`: always the middle."""

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2

    def random(self) -> float:
        return 0.5

    def __getattr__(self, name: str) -> Any:
        return getattr(random, name)


class _AtOnce:
    """In the place of a pool of threads: what is handed in is done before anything else happens."""

    def __init__(self, *_: object, **__: object) -> None:
        return

    def submit(self, work: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(work(*arguments, **named))
        except Exception as fault:  # noqa: BLE001 - whatever it is, it belongs to who asks for the result
            done.set_exception(fault)
        return done

    def map(self, work: Callable[..., T], *of: Iterable[Any]) -> Iterator[T]:
        futures = [self.submit(work, *arguments) for arguments in zip(*of, strict=False)]
        return (one.result() for one in futures)

    def shutdown(self, *_: object, **__: object) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class _Threads:
    """In the place of the module `threading`: a thread is over when it was started, an event is not waited for."""

    def __init__(self, clock: Callable[[], Clock]) -> None:
        class Thread:
            def __init__(
                self, target: Callable[..., object], args: tuple[Any, ...] = (), *_: object, **__: object
            ) -> None:
                self._work: Callable[[], object] = lambda: target(*args)

            def start(self) -> None:
                try:
                    self._work()
                except Exception as fault:  # noqa: BLE001 - as a thread does it, which nobody asks for its result
                    clock().faults.append(fault)

            def join(self, timeout: float | None = None) -> None:  # noqa: ARG002 - as it is called
                return

            def is_alive(self) -> bool:
                return False

        class Event(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - as it is called
                return self.is_set()

        self.Thread, self.Event = Thread, Event

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)


class _Encoded:
    """In the place of `encode`: what was made of a frozen value once is made of it again, without looking."""

    def __init__(self) -> None:
        self._encode = serialization.encode
        self._known: dict[int, tuple[object, Any]] = {}

    def __call__(self, value: object, names: Any = NAMES) -> Any:
        if names is not NAMES or not is_dataclass(value):
            return self._encode(value, names)
        known = self._known.get(id(value))
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[id(value)] = value, self._encode(value, names)
        return known[1]


class _Decoded:
    """In the place of `decode`: what was read from a JSON text once is read from it again, without looking."""

    def __init__(self) -> None:
        self._decode = serialization.decode
        self._known: dict[tuple[object, str], Any] = {}

    def __call__(self, kind: Any, value: object, names: Any = NAMES, *, as_far_as_known: bool = False) -> Any:
        if names is not NAMES or as_far_as_known:
            return self._decode(kind, value, names, as_far_as_known=as_far_as_known)
        key = kind, json.dumps(value)
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._decode(kind, value, names)
        return self._known[key]


_MOST_KNOWN = 5000


@contextmanager
def played_on(clock: Callable[[], Clock]) -> Iterator[None]:
    """The product in this process, with time, chance and threads as above, on whatever clock this names then."""
    instead: dict[str, tuple[object, object]] = {
        "time": (time, _Time(clock)),
        "uuid": (uuid, _Ids(clock)),
        "random": (random, _Chance()),
        "threading": (threading, _Threads(clock)),
        "ThreadPoolExecutor": (ThreadPoolExecutor, _AtOnce),
        # Pure functions that take most of a step's time, and are asked about the same values again and again.
        "safe": (redaction.safe, lru_cache(maxsize=None, typed=True)(redaction.safe)),
        "encode": (serialization.encode, _Encoded()),
        "decode": (serialization.decode, _Decoded()),
    }
    with pytest.MonkeyPatch.context() as patch:
        for module in _modules():
            for name, (real, ours) in instead.items():
                if module.__dict__.get(name) is real:
                    patch.setattr(module, name, ours)
        yield


def _modules() -> list[ModuleType]:
    """Every module of the product that decides or acts, also those that would be imported only later."""
    for package in map(importlib.import_module, _PRODUCT):
        for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(one.name)
    return [one for name, one in sorted(sys.modules.items()) if name.partition(".")[0] in {"firebreak", *_PRODUCT}]
