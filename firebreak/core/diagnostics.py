"""Faults in a file that a person wrote: where they are, what is wrong, and what was probably meant."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_WIDTH = 120
_LONGEST_WORD = 60
_BEGINNING = 3
_MOST_FAULTS = 100
_WORDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1, in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Severity = Literal["stops", "fault", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fault in a file. Its code is never used for anything else.

    Attributes:
        code: stable identifier, such as `FB101`.
        name: a short name in words.
        severity: `stops`: the folder does not load; `fault`: it loads and is wrong; `warning`: probably not meant.
        meaning: what the rule catches, as a sentence.
        example: YAML that it catches: keys of a policy, or files, each after a line `# NAME.yaml`.
        remedy: what to do about it.
        by: the command that looks for it.
    """

    code: str
    name: str
    severity: Severity
    meaning: str
    example: str
    remedy: str
    by: Literal["lint", "test"] = "lint"

    @property
    def can_be_silenced(self) -> bool:
        """Whether a comment in the file may say that it is meant: what does not load or is not right never is."""
        return self.severity == "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at one place; `nearest` is the right word most like the wrong one, `line_text` the whole line."""

    rule: Rule
    at: Location
    message: str
    nearest: str | None = None
    line_text: str = ""

    def __str__(self) -> str:
        """`file:line:column: message`, then the line and a caret beneath the place; no newline at the end."""
        return "\n".join((f"{self.at}: {self.said}", *self.pointed()))

    @property
    def said(self) -> str:
        """What is wrong, and what was probably meant."""
        return f"{self.message}; did you mean {quoted(self.nearest)}?" if self.nearest else self.message

    def pointed(self, width: int = _WIDTH) -> tuple[str, ...]:
        """The line, and beneath it a caret at the place; of a long line, as much around the place as fits."""
        return _pointed(self.line_text, self.at.column, width) if self.line_text.strip() else ()


class Faults(Exception):
    """Everything wrong with the files read, in order of file, line and column."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = in_order(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def in_order(*faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """All of them, by file, line and column."""
    return tuple(sorted(itertools.chain(*faults), key=lambda fault: fault.at))


def nearest_word(word: str, choices: Iterable[str], likeness: float = 0.6) -> str | None:
    """The choice most like `word`, begun by it, or a part of it; None if there is none. Letter case does not count."""
    if len(word) > _LONGEST_WORD:
        return None
    lowered = {choice.lower(): choice for choice in sorted(choices)}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=likeness)
    begun = [choice for choice in lowered if len(word) >= _BEGINNING and choice.startswith(word.lower())]
    inside = [choice for choice in lowered if len(choice) >= _BEGINNING and choice in _WORDS.split(word.lower())]
    found = close or begun or inside
    return lowered[found[0]] if found else None


def quoted(word: object) -> str:
    """A word from a file in backticks, cut short and free of unprintable characters."""
    text = printable(str(word))
    return f"`{text[: _LONGEST_WORD - 1]}…`" if len(text) > _LONGEST_WORD else f"`{text}`"


def printable(text: str) -> str:
    """The text with every character that a terminal might act on replaced by `�`; tabs become spaces."""
    return "".join(char if char.isprintable() else " " if char == "\t" else "�" for char in text)


def _pointed(line: str, column: int, width: int) -> tuple[str, str]:
    start = max(0, column - 1 - width // 2) if len(line) > width else 0
    shown = printable(line[start : start + width].rstrip("\r\n"))
    return f"    {shown}", f"    {' ' * (column - 1 - start)}^"


class FaultLog:
    """The faults of one file while it is being read; after the first hundred it only says that there are more."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._lines = text.removeprefix("\ufeff").split("\n")
        self._faults: list[Fault] = []

    def place(self, line: int, column: int) -> Location:
        """A place in this file."""
        return Location(self.file, line, column)

    def add_unshown(self, rule: Rule, at: Location, message: str) -> None:
        """Record a fault at a place where a secret may stand: its line is shown nowhere."""
        self._faults.append(Fault(rule, at, message))

    def add(self, rule: Rule, at: Location, message: str, nearest: str | None = None) -> None:
        """Record one fault of this file."""
        if len(self._faults) < _MOST_FAULTS:
            self._faults.append(self.fault(rule, at, message, nearest))
        elif len(self._faults) == _MOST_FAULTS:
            self._faults.append(Fault(rule, at, "and more faults after this one"))

    def fault(self, rule: Rule, at: Location, message: str, nearest: str | None = None) -> Fault:
        """The fault with its line, unrecorded."""
        return Fault(rule, at, message, nearest, self._line(at.line))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What has been recorded, in that order."""
        return tuple(self._faults)

    def _line(self, number: int) -> str:
        return self._lines[number - 1].rstrip("\r") if 0 < number <= len(self._lines) else ""
