"""The ledger's store on a bad day: what it has cannot be had, for one look or until further notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from firebreak.core.errors import Transient
from tests.response.harness import Line

Away = Callable[[str, str, int], bool]
"""Whether a call fails: its method, the kind that it is about, and the how manieth of that kind it is, from 1."""


class BadDay:
    """Passes every call on to the store that it stands before, unless a test says that the store is away."""

    def __init__(self, documents: Any, away: Away) -> None:
        self._documents = documents
        self.away = away
        self.calls: Counter[tuple[str, str]] = Counter()

    def __getattr__(self, name: str) -> Any:
        """The store's own method, which may fail."""
        method = getattr(self._documents, name)
        if not callable(method):
            return method

        def call(*given: Any, **named: Any) -> Any:
            kind = str(getattr(given[0], "kind", given[0])) if given else ""
            self.calls[name, kind] += 1
            if self.away(name, kind, self.calls[name, kind]):
                message = "the ledger cannot be reached"
                raise Transient(message)
            return method(*given, **named)

        return call


def bad_day(on: Line, away: Away) -> BadDay:
    """From now on the line's ledger is kept there."""
    store: Any = BadDay(on.app.ledger.documents, away)
    on.app = replace(on.app, ledger=replace(on.app.ledger, documents=store))
    return store  # type: ignore[no-any-return]


def never(_method: str, _kind: str, _number: int) -> bool:
    """Everything can be had."""
    return False


def always(_method: str, _kind: str, _number: int) -> bool:
    """Nothing can be had."""
    return True


def one_look_at_the_halt(number: int) -> Away:
    """The so manieth time that the halt is looked at, it cannot be read."""
    return lambda method, kind, count: (method, kind, count) == ("read", "halt", number)
