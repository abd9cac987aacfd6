"""Cloud Logging's query language, of which this local one has AND, comparisons with quoted values, and no more.

Strict: what it does not know is a fault, so that a query which works here was written by the book.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.core.findings.logs import SEVERITIES
from firebreak.core.timestamps import parse_instant

LONGEST = 20_000
_ENDS = {"n": "\n", "t": "\t", "r": "\r"}
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r'|(?P<field>[A-Za-z_]\w*(?:\.(?:[A-Za-z_][\w-]*|"(?:[^"\\]|\\["\\])*"))*)'
    r'|"(?P<text>(?:[^"\\]|\\["\\ntr])*)"'
    r"|(?P<operator><=|>=|!=|[=<>])",
    re.ASCII,
)
_PLAIN = ("resource.type", "logName", "insertId", "textPayload")
_LABEL = re.compile(r'(resource\.labels|labels)\.(?:([A-Za-z_][\w-]*)|"((?:[^"\\]|\\["\\])*)")', re.ASCII)


class FilterFault(ValueError):
    """The text is not in the language, or not in the part of it that is known here."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One restriction: the path of a field in an entry's JSON, an operator, and a value."""

    path: tuple[str, ...]
    operator: str
    value: str

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry in Cloud Logging's JSON satisfies this; texts are compared without regard to case."""
        found: Any = entry
        for key in self.path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if self.path == ("timestamp",):
            return _ordered(parse_instant(str(found)), self.operator, parse_instant(self.value))
        if self.path == ("severity",):
            return _ordered(_rank(str(found or "DEFAULT")), self.operator, _rank(self.value))
        same = found is not None and str(found).casefold() == self.value.casefold()
        return same is (self.operator == "=")


def parse_filter(text: str) -> tuple[Comparison, ...]:
    """The comparisons that must all hold; raises FilterFault."""
    if len(text) > LONGEST:
        message = f"the filter is longer than {LONGEST} characters"
        raise FilterFault(message)
    tokens = _tokens(text)
    found: list[Comparison] = []
    while tokens:
        if found:
            tokens = _after(tokens, "field", "AND")
        if len(tokens) < 3 or [kind for kind, _ in tokens[:3]] != ["field", "operator", "text"]:  # noqa: PLR2004
            message = f"expected a field, an operator and a quoted text at {tokens[:1]}"
            raise FilterFault(message)
        (_, field), (_, operator), (_, value) = tokens[:3]
        found.append(_checked(field, operator, value))
        tokens = tokens[3:]
    return tuple(found)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token.lastgroup is None:
            message = f"unexpected character at {at}: {text[at : at + 12]!r}"
            raise FilterFault(message)
        if token.lastgroup != "space":
            value = token[token.lastgroup]
            tokens.append((token.lastgroup, _unescaped(value) if token.lastgroup == "text" else value))
        at = token.end()
    return tokens


def _after(tokens: list[tuple[str, str]], kind: str, text: str) -> list[tuple[str, str]]:
    if tokens[0] != (kind, text):
        message = f"expected {text} instead of {tokens[0][1]!r}"
        raise FilterFault(message)
    return tokens[1:]


def _checked(field: str, operator: str, value: str) -> Comparison:
    if field in ("timestamp", "severity"):
        try:
            _ = parse_instant(value) if field == "timestamp" else _rank(value)
        except ValueError:
            message = f"{value!r} is no {field}"
            raise FilterFault(message) from None
        return Comparison((field,), operator, value)
    if operator not in ("=", "!="):
        message = f"{field} does not take {operator!r} here"
        raise FilterFault(message)
    if label := _LABEL.fullmatch(field):
        return Comparison((*label[1].split("."), label[2] or _unescaped(label[3])), operator, value)
    if field not in _PLAIN:
        message = f"entries cannot be searched by {field!r} here"
        raise FilterFault(message)
    return Comparison(tuple(field.split(".")), operator, value)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ENDS.get(found[1], found[1]), text)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity.upper())


def _ordered(found: int, operator: str, wanted: int) -> bool:
    return {
        "=": found == wanted,
        "!=": found != wanted,
        "<": found < wanted,
        "<=": found <= wanted,
        ">": found > wanted,
        ">=": found >= wanted,
    }[operator]
