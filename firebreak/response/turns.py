"""Turns of work within a time: each kind has a share of it, and each item a share of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from firebreak.ports.deadline import Deadline

_LEAST = 20
"""An item has at least one part in so many of the whole time, as long as its kind has any."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work; `place` is where its calls go, so that one which hangs there is not waited for by others."""

    what: str
    work: Callable[[Deadline], str | None]
    place: str = ""


class Isolated(Protocol):
    """Does one piece of work and deals with its faults; False where it is to be tried once more, never if `last`."""

    def __call__(self, what: str, work: Callable[[], str | None], *, last: bool) -> bool:
        """Raises nothing."""
        ...


class Turns:
    """Gives every item its turn. What did not get one, and what has to be tried again, has another at the end."""

    def __init__(self, isolated: Isolated, deadline: Deadline) -> None:
        """All of it ends at the deadline."""
        self._isolated = isolated
        self._deadline = deadline
        self._least = deadline.remaining() / _LEAST
        self._untried = list[Item]()
        self._again = list[Item]()

    def give(self, part: float, kind: str, find: Callable[[], Iterable[Item]]) -> None:
        """Find the items of a kind and do them, for that part of the time that is left."""
        until = self._deadline.sooner(self._deadline.remaining() * part)

        def found() -> None:
            self._in_turn(list(find()), until, last=False)

        self._isolated(kind, found, last=True)

    def finish(self, patience: float) -> list[str]:
        """What is left over once more, for as long as there is time; what got no turn even so.

        Only what is tried again is waited for, once everything else had its turn: so many seconds for all of it.
        """
        untried, again, self._untried, self._again = self._untried, self._again, [], []
        self._in_turn(untried, self._deadline, last=True)
        self._in_turn(again, self._deadline.waiting(patience), last=True)
        return [one.what for one in self._untried]

    def _in_turn(self, items: list[Item], until: Deadline, *, last: bool) -> None:
        slow = set[str]()
        for number, item in enumerate(items):
            if until.passed or (item.place and item.place in slow):
                self._untried.append(item)
                continue
            share = until.sooner(max(self._least, until.remaining() / (len(items) - number)))
            if not self._isolated(item.what, lambda item=item, share=share: item.work(share), last=last):  # type: ignore[misc]
                self._again.append(item)
            if share.passed:
                slow.add(item.place)
