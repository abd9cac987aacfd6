"""Comments in a file that say of a warning that it is meant, and why: `# firebreak: allow FB203 because REASON`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from firebreak.core.diagnostics import Fault, FaultLog, Location, Rule, quoted
from firebreak.core.policy.policy import Files
from firebreak.policy_language.lint.conditions import LintWarning
from firebreak.policy_language.lint.rules import (
    IDLE_SILENCE,
    RULES,
    SILENCE_NOT_ALLOWED,
    SILENCE_OF_NO_RULE,
    SILENCE_WITHOUT_REASON,
    UNREADABLE_SILENCE,
)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*firebreak:(.*)", re.IGNORECASE)
_ALLOW = re.compile(r"\s*allow\s+([A-Za-z0-9]+(?:\s*,\s*[A-Za-z0-9]+)*)(?:\s+because\b(.*))?\s*")
_BY_CODE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}
_SILENCES = frozenset(code for code in _BY_CODE if code.startswith("FB6"))


@dataclass(frozen=True, slots=True)
class Silence:
    """One code that a comment allows on one line; the line is 0 where nothing follows the comment."""

    at: Location
    code: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """A warning that a comment says is meant, and why."""

    fault: Fault
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What is left to tell, what comments silenced, and what is wrong with such comments."""

    told: tuple[LintWarning, ...]
    silenced: tuple[Silenced, ...]
    wrong: tuple[Fault, ...]


def judged(
    remarks: Iterable[LintWarning], files: Files, by: Literal["lint", "test"], *, all_read: bool = True
) -> Judged:
    """Apply the comments of these files, which load, to the warnings that this command looks for.

    Where not all files could be read, nothing can be said of what a comment is still needed for.
    """
    logs = {file: FaultLog(file, text) for file, text in files.items()}
    silences = [one for log in logs.values() for one in _silences(files[log.file], log)]
    reasons = {(one.at.file, one.line, one.code): one.reason for one in reversed(silences)}
    told: list[LintWarning] = []
    silenced: list[Silenced] = []
    for remark in remarks:
        reason = reasons.get(_key(remark)) if remark.rule.can_be_silenced else None
        if reason is None:
            told.append(remark)
        else:
            fault = logs[remark.at.file].fault(remark.rule, remark.at, remark.message, remark.nearest)
            silenced.append(Silenced(fault, reason))
    used = {_key(one.fault) for one in silenced}
    for one in silences:
        idle = _BY_CODE[one.code].by == by and (one.at.file, one.line, one.code) not in used
        if idle and all_read:
            logs[one.at.file].add(IDLE_SILENCE, one.at, f"there is no {one.code} here to silence: leave this out")
    wrong = tuple(fault for log in logs.values() for fault in log.faults if by == "lint" or fault.rule is IDLE_SILENCE)
    return Judged(tuple(told), tuple(silenced), wrong)


def _key(fault: Fault | LintWarning) -> tuple[str, int, str]:
    return fault.at.file, fault.at.line, fault.rule.code


def _silences(text: str, log: FaultLog) -> Iterator[Silence]:
    """The silences of a file that has been read without fault; those that mean nothing go to the log."""
    lines = text.removeprefix("\ufeff").split("\n")
    if "firebreak:" not in text.lower():
        return
    inside = _Scalars(text)
    code_lines = [number for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")]
    for number, line in enumerate(lines, 1):
        for found in _COMMENT.finditer(line):
            if not inside.covers(number, found.start() + 1):
                alone = line.lstrip().startswith("#")
                following = bisect_left(code_lines, number)
                below = code_lines[following] if following < len(code_lines) else 0
                meant = below if alone else number
                yield from _allowed(found[1], log.place(number, found.start() + 1), meant, log)
                break


def _allowed(text: str, at: Location, line: int, log: FaultLog) -> Iterator[Silence]:
    found = _ALLOW.fullmatch(text.rstrip("\r"))
    if found is None:
        log.add(UNREADABLE_SILENCE, at, "this silences nothing: write # firebreak: allow CODE because REASON")
        return
    reason = (found[2] or "").strip()
    for code in re.split(r"\s*,\s*", found[1]):
        rule = _BY_CODE.get(code)
        if rule is None:
            log.add(SILENCE_OF_NO_RULE, at, f"there is no rule {quoted(code)}, and so nothing is silenced")
        elif not rule.can_be_silenced or code in _SILENCES:
            log.add(SILENCE_NOT_ALLOWED, at, f"{code} ({rule.name}) cannot be silenced: mend it")
        elif not reason:
            log.add(SILENCE_WITHOUT_REASON, at, f"{code} is silenced only with a reason: add because REASON")
        else:
            yield Silence(at, code, line, reason)


class _Scalars:
    """Where the texts of a file stand: in these, `#` begins no comment."""

    def __init__(self, text: str) -> None:
        tokens: Iterable[Any] = yaml.scan(text, Loader=_LOADER)
        self._spans = [_span(token) for token in tokens if isinstance(token, yaml.ScalarToken)]
        self._starts = [start for start, _ in self._spans]

    def covers(self, line: int, column: int) -> bool:
        """Whether the place, both counted from 1, is in one of them."""
        place = (line - 1, column - 1)
        before = bisect_right(self._starts, place) - 1
        return before >= 0 and place < self._spans[before][1]


def _span(token: Any) -> tuple[tuple[int, int], tuple[int, int]]:  # noqa: ANN401 - tokens are untyped
    """A block's first line, after `|`, may still hold a comment."""
    begun = token.start_mark
    start = (begun.line + 1, 0) if token.style in ("|", ">") else (begun.line, begun.column)
    return start, (token.end_mark.line, token.end_mark.column)
