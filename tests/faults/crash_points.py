"""Every save, write and send of a run, numbered, and a process that dies just before or just after one of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from firebreak.response.app import App

STEPS = {
    "ledger": ("create", "replace", "commit"),
    "surface": ("write", "wait"),
    "topic": ("publish",),
    "scc": ("mark",),
}


@dataclass
class Points:
    """The points passed so far; `dies` is called on reaching number `last`."""

    last: int | None = None
    dies: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL)
    passed: list[str] = field(default_factory=list)

    def reach(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) - 1 == self.last:
            self.dies()


class Watched:
    """Another object, some of whose methods are steps."""

    def __init__(self, inner: Any, name: str, points: Points) -> None:
        self._inner, self._name, self._points = inner, name, points

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._inner, method)
        if method not in STEPS[self._name]:
            return found

        def step(*arguments: Any, **named: Any) -> Any:
            label = f"{self._name}.{method}" + (f" {arguments[0]}" if method == "create" else "")
            self._points.reach(f"before {label}")
            answer = found(*arguments, **named)
            self._points.reach(f"after {label}")
            return answer

        return step


def watched(app: App, points: Points) -> App:
    """The same application, every step of which is a point."""
    documents: Any = Watched(app.ledger.documents, "ledger", points)
    surfaces: Any = {name: Watched(one, "surface", points) for name, one in app.surfaces.items()}
    publisher: Any = Watched(app.publisher, "topic", points)
    scc: Any = Watched(app.scc, "scc", points)
    return replace(
        app,
        ledger=replace(app.ledger, documents=documents),
        surfaces=MappingProxyType(surfaces),
        publisher=publisher,
        scc=scc,
    )
