"""What became of an incident, by its record's own history: answers, a release, how long it stood, halts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from firebreak.core.timestamps import parse_instant

_OURS = "firebreak"
_HALTED = "deferred: halted"


class Course(NamedTuple):
    """All times are nanoseconds since 1970.

    Attributes:
        released_ns: when its release was over, whoever asked for it; None where it was not released.
        stood_ns: until when it is known to stand; 0 where nothing of it stands.
        answers: when people said yes or no to a question of it.
        halts: from when to when it waited for a halt to be lifted; None where it still does.
    """

    released_ns: int | None = None
    stood_ns: int = 0
    answers: tuple[tuple[int, bool], ...] = ()
    halts: tuple[tuple[int, int | None], ...] = ()


NOTHING_TOLD = Course()


def course_of(record: Mapping[str, Any]) -> Course:
    """The course that a record tells of."""
    lines = [*_lines(record)]
    released = [
        at
        for at, who, what in lines
        if what.partition(";")[0] == "released" or (who == _OURS and what.endswith(": released"))
    ]
    stood = instant_in(record.get("updated")) if record.get("stands") is True else None
    return Course(max(released, default=None), stood or 0, tuple(_answers(lines)), tuple(_halts(lines)))


def _lines(record: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    """When, who, what; a line that cannot be read is left out."""
    told = record.get("history")
    for one in told if isinstance(told, list) else []:
        if isinstance(one, Mapping) and (at := instant_in(one.get("at"))) is not None:
            yield at, str(one.get("who")), str(one.get("what"))


def _answers(lines: list[tuple[int, str, str]]) -> Iterator[tuple[int, bool]]:
    for at, who, what in lines:
        word = what.replace(":", " ").partition(" ")[0]
        if who != _OURS and word in ("approved", "rejected"):
            yield at, word == "approved"


def _halts(lines: list[tuple[int, str, str]]) -> Iterator[tuple[int, int | None]]:
    """A wait ends with the next line: nothing is told of an incident while it waits."""
    for number, (at, who, what) in enumerate(lines):
        if who == _OURS and what.startswith(_HALTED):
            yield at, lines[number + 1][0] if number + 1 < len(lines) else None


def instant_in(value: object) -> int | None:
    """A time of a record, nanoseconds since 1970; None where it is none."""
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None
