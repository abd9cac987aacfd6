"""Cloud Logging's query language: AND, OR and NOT over comparisons of fields, as far as filters of ours go.

Strict: what it does not know is a fault, so that a query which works here was written by the book. NOT binds tightest,
then OR, then AND, and two terms with nothing between them are joined by AND
(https://cloud.google.com/logging/docs/view/logging-query-language).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.core.findings.logs import SEVERITIES
from firebreak.core.timestamps import parse_instant

LONGEST = 20_000
_ENDS = {"n": "\n", "t": "\t", "r": "\r"}
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<bracket>[()])"
    r"|(?P<operator><=|>=|!=|[=<>:])"
    r'|"(?P<text>(?:[^"\\]|\\["\\ntr])*)"'
    r"|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))"
    r'|(?P<word>\*|[A-Za-z_]\w*(?:\.(?:[A-Za-z_][\w-]*|"(?:[^"\\]|\\["\\])*"))*)',
    re.ASCII,
)
_PLAIN = ("resource.type", "logName", "insertId", "textPayload")
_BELOW = re.compile(r'(resource\.labels|labels)\.(?:([A-Za-z_][\w-]*)|"((?:[^"\\]|\\["\\])*)")', re.ASCII)
_PAYLOAD = re.compile(r"jsonPayload(\.[A-Za-z_][\w-]*)+", re.ASCII)
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
Token = tuple[str, str]


class FilterFault(ValueError):
    """The text is not in the language, or not in the part of it that is known here."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One restriction: the path of a field in an entry's JSON, an operator, and a value; `:*` asks if it is there."""

    path: tuple[str, ...]
    operator: str
    value: str

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry in Cloud Logging's JSON satisfies this; of a repeated field one value suffices."""
        if self.path == ("timestamp",):
            return _ordered(parse_instant(str(entry["timestamp"])), self.operator, parse_instant(self.value))
        if self.path == ("severity",):
            return _ordered(_rank(str(entry.get("severity") or "DEFAULT")), self.operator, _rank(self.value))
        found = [one for one in _values(entry, self.path) if one is not None]
        if self.operator == "!=":
            return not any(_same(one, self.value) for one in found)
        return any(self._fits(one) for one in found)

    def _fits(self, found: Any) -> bool:  # noqa: ANN401 - any JSON value
        if self.operator == ":":
            return self.value == "*" or self.value.casefold() in str(found).casefold()
        if self.operator == "=":
            return _same(found, self.value)
        return isinstance(found, int | float) and _ORDERS[self.operator](float(found), float(self.value))


@dataclass(frozen=True, slots=True)
class Filter:
    """Parts under AND or OR, or the one part under NOT."""

    operator: str
    parts: tuple[Filter | Comparison, ...]

    def holds(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry in Cloud Logging's JSON is found by this."""
        if self.operator == "NOT":
            return not self.parts[0].holds(entry)
        return (any if self.operator == "OR" else all)(one.holds(entry) for one in self.parts)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All of them, in the order in which they are written."""
        found = [(one,) if isinstance(one, Comparison) else one.comparisons for one in self.parts]
        return tuple(one for some in found for one in some)


def parse_filter(text: str) -> Filter:
    """What an entry has to satisfy; raises FilterFault. An empty text is satisfied by all."""
    if len(text) > LONGEST:
        message = f"the filter is longer than {LONGEST} characters"
        raise FilterFault(message)
    tokens = list(_tokens(text))
    reading = _Reading(tokens)
    whole = reading.conjunction() if tokens else Filter("AND", ())
    if reading.left():
        message = f"expected nothing more at {reading.left()[:1]}"
        raise FilterFault(message)
    return whole


class _Reading:
    """Goes through the tokens once, from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at = tokens, 0

    def left(self) -> list[Token]:
        return self._tokens[self._at :]

    def conjunction(self) -> Filter:
        parts = [self._disjunction()]
        while self.left() and self.left()[0] != ("bracket", ")"):
            self._took("word", "AND")
            parts.append(self._disjunction())
        return Filter("AND", tuple(parts))

    def _disjunction(self) -> Filter:
        parts = [self._term()]
        while self._took("word", "OR"):
            parts.append(self._term())
        return Filter("OR", tuple(parts))

    def _term(self) -> Filter | Comparison:
        if self._took("word", "NOT"):
            return Filter("NOT", (self._term(),))
        if self._took("bracket", "("):
            return self._closed(self.conjunction())
        field, told = self._next("word"), self._next("operator")
        if not self._took("bracket", "("):
            return _checked(field, told, self._value())
        values = [self._value()]
        while self._took("word", "OR"):
            values.append(self._value())
        return self._closed(Filter("OR", tuple(_checked(field, told, one) for one in values)))

    def _closed(self, inner: Filter) -> Filter:
        self._next("bracket", ")")
        return inner

    def _value(self) -> str:
        return self._next("text", "number", "word")

    def _took(self, *token: str) -> bool:
        taken = self.left()[:1] == [token]
        self._at += taken
        return taken

    def _next(self, *wanted: str) -> str:
        """The next token's text, which is of one of these kinds or is this very bracket."""
        if not self.left() or not set(self.left()[0]) & set(wanted):
            message = f"expected {' or '.join(wanted)} at {self.left()[:1]}"
            raise FilterFault(message)
        self._at += 1
        return self._tokens[self._at - 1][1]


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token.lastgroup is None:
            message = f"unexpected character at {at}: {text[at : at + 12]!r}"
            raise FilterFault(message)
        if token.lastgroup != "space":
            value = token[token.lastgroup]
            yield token.lastgroup, _unescaped(value) if token.lastgroup == "text" else value
        at = token.end()


def _checked(field: str, told: str, value: str) -> Comparison:
    if field in ("timestamp", "severity"):
        return _on_a_scale(field, told, value)
    if told in _ORDERS and not (_PAYLOAD.fullmatch(field) and re.fullmatch(r"-?\d+(\.\d+)?", value)):
        message = f"{field} does not take {told!r} and {value!r} here"
        raise FilterFault(message)
    if label := _BELOW.fullmatch(field):
        return Comparison((*label[1].split("."), label[2] or _unescaped(label[3])), told, value)
    if field not in _PLAIN and not _PAYLOAD.fullmatch(field):
        message = f"entries cannot be searched by {field!r} here"
        raise FilterFault(message)
    return Comparison(tuple(field.split(".")), told, value)


def _on_a_scale(field: str, told: str, value: str) -> Comparison:
    try:
        _ = parse_instant(value) if field == "timestamp" else _rank(value)
    except ValueError:
        message = f"{value!r} is no {field}"
        raise FilterFault(message) from None
    if told == ":":
        message = f"{field} does not take ':'"
        raise FilterFault(message)
    return Comparison((field,), told, value)


def _values(found: Any, path: tuple[str, ...]) -> Iterator[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(found, list):
        for one in found:
            yield from _values(one, path)
    elif not path:
        yield found
    elif isinstance(found, Mapping):
        yield from _values(found.get(path[0]), path[1:])


def _same(found: Any, value: str) -> bool:  # noqa: ANN401 - any JSON value
    return str(found).casefold() == value.casefold()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ENDS.get(found[1], found[1]), text)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity.upper())


def _ordered(found: int, told: str, wanted: int) -> bool:
    return (found == wanted) is (told == "=") if told in ("=", "!=") else _ORDERS[told](found, wanted)
