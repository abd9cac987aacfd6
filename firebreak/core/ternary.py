"""Kleene's three truth values: what is true, what is false, and what nobody could say."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Truth(enum.Enum):
    """True, false or unknown. It has no truth of its own in Python: compare it with `is`."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    def __bool__(self) -> bool:
        message = "a Truth has three values; compare it with `is`"
        raise TypeError(message)

    @property
    def word(self) -> str:
        """The truth as records spell it: `true`, `false` or `unknown`."""
        return self.name.lower()


def truth(holds: bool | None) -> Truth:  # noqa: FBT001 - it is the value itself, not a switch
    """The truth of a yes, a no, or None for unknown."""
    if holds is None:
        return Truth.UNKNOWN
    return Truth.TRUE if holds else Truth.FALSE


def every(truths: Iterable[Truth]) -> Truth:
    """Kleene's and; true if there are no parts. Reads no further than the first that is false."""
    joined = Truth.TRUE
    for one in truths:
        if one is Truth.FALSE:
            return one
        if one is Truth.UNKNOWN:
            joined = one
    return joined


def some(truths: Iterable[Truth]) -> Truth:
    """Kleene's or; false if there are no parts. Reads no further than the first that is true."""
    joined = Truth.FALSE
    for one in truths:
        if one is Truth.TRUE:
            return one
        if one is Truth.UNKNOWN:
            joined = one
    return joined


def negated(value: Truth) -> Truth:
    """Kleene's not."""
    return Truth(2 - value.value)
