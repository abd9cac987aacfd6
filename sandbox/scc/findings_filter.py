"""SCC's filter language for findings: AND, OR (which binds tighter), NOT or `-`, parentheses, `field operator value`.

Strict: what SCC does not document is a fault, so that a query which works here was written by the book.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.core.timestamps import parse_instant
from sandbox.scc.finding_fields import MARK, VALUES, value_of

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r'|"(?P<text>(?:[^"\\]|\\["\\])*)"'
    r"|(?P<number>[0-9]{1,16})(?![\w.])"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_.-]*)"
    r"|(?P<operator><=|>=|[=:<>])"
    r"|(?P<mark>[()-])",
    re.ASCII,
)
_KEYWORDS = frozenset({"AND", "OR", "NOT"})
_TIME_OPERATORS = frozenset({"=", "<", "<=", ">", ">="})
_EXACT = frozenset({"name"})
_DEEPEST = 40
_MILLISECOND_NS = 1_000_000


class FilterFault(ValueError):
    """The text is not in the language; the message says where it stops being so."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One restriction; `value` is a text, or nanoseconds since 1970 for times."""

    field: str
    operator: str
    value: str | int

    def holds(self, listed: Mapping[str, Any]) -> bool:
        """Whether a listed pair of finding and resource satisfies this."""
        if isinstance(self.value, int):
            return _in_time(value_of(listed, self.field), self.operator, self.value)
        found: tuple[str, ...] = value_of(listed, self.field)
        wanted = self.value
        if self.field.startswith(MARK):
            found, wanted = tuple(one.casefold() for one in found), wanted.casefold()
        return wanted in found if self.operator == "=" else any(wanted in one for one in found)


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where `term` does not."""

    term: Filter

    def holds(self, listed: Mapping[str, Any]) -> bool:
        """Whether a listed pair of finding and resource satisfies this."""
        return not self.term.holds(listed)


@dataclass(frozen=True, slots=True)
class Every:
    """Holds where every term does; without terms, everywhere."""

    terms: tuple[Filter, ...]

    def holds(self, listed: Mapping[str, Any]) -> bool:
        """Whether a listed pair of finding and resource satisfies this."""
        return all(term.holds(listed) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Either:
    """Holds where at least one term does."""

    terms: tuple[Filter, ...]

    def holds(self, listed: Mapping[str, Any]) -> bool:
        """Whether a listed pair of finding and resource satisfies this."""
        return any(term.holds(listed) for term in self.terms)


Filter = Comparison | Not | Every | Either


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse_filter(text: str) -> Filter:
    """Read a filter; the empty one holds for everything. Raises FilterFault."""
    tokens = _tokens(text)
    if len(tokens) == 1:
        return Every(())
    parser = _Parser(tokens)
    whole = parser.conjunction(0)
    parser.take("end", "AND, OR or the end of the filter")
    return whole


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            message = f"unexpected character at {at}: {text[at : at + 12]!r}"
            raise FilterFault(message)
        kind, value = found.lastgroup, found[found.lastgroup]
        if (kind == "word" and value in _KEYWORDS) or kind == "mark":
            kind = value
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        if kind != "space":
            tokens.append(_Token(kind, value, at))
        at = found.end()
    return [*tokens, _Token("end", "", at)]


class _Parser:
    """Recursive descent over the tokens, never deeper than `_DEEPEST`."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def conjunction(self, depth: int) -> Filter:
        terms = [self._disjunction(depth)]
        while self._take_if("AND"):
            terms.append(self._disjunction(depth))
        return terms[0] if len(terms) == 1 else Every(tuple(terms))

    def take(self, kind: str, wanted: str) -> _Token:
        token = self._tokens[self._next]
        if token.kind != kind:
            message = f"expected {wanted} at {token.at}"
            raise FilterFault(message)
        self._next += 1
        return token

    def _disjunction(self, depth: int) -> Filter:
        terms = [self._term(depth)]
        while self._take_if("OR"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def _term(self, depth: int) -> Filter:
        if depth > _DEEPEST:
            message = "the filter is nested too deeply"
            raise FilterFault(message)
        if self._take_if("NOT") or self._take_if("-"):
            return Not(self._term(depth + 1))
        if self._take_if("("):
            inner = self.conjunction(depth + 1)
            self.take(")", "a closing parenthesis")
            return inner
        return self._comparison()

    def _comparison(self) -> Filter:
        field = self.take("word", "a field")
        operator = self.take("operator", "an operator")
        value = self._tokens[self._next]
        if value.kind not in ("text", "number"):
            message = f"expected a quoted text at {value.at}"
            raise FilterFault(message)
        self._next += 1
        return _checked(field, operator, value)

    def _take_if(self, kind: str) -> bool:
        found = self._tokens[self._next].kind == kind
        self._next += found
        return found


def _checked(field: _Token, operator: _Token, value: _Token) -> Comparison:
    if field.text == "event_time":
        if operator.text not in _TIME_OPERATORS:
            message = f"event_time does not take {operator.text!r}"
            raise FilterFault(message)
        return Comparison(field.text, operator.text, _instant(value))
    marked = field.text.startswith(MARK) and len(field.text) > len(MARK)
    if not marked and field.text not in VALUES:
        message = f"findings cannot be filtered by {field.text!r}"
        raise FilterFault(message)
    if operator.text not in (("=",) if field.text in _EXACT else ("=", ":")):
        message = f"{field.text} does not take {operator.text!r}"
        raise FilterFault(message)
    if value.kind != "text":
        message = f"expected a quoted text at {value.at}"
        raise FilterFault(message)
    return Comparison(field.text, operator.text, value.text)


def _instant(value: _Token) -> int:
    if value.kind == "number":
        return int(value.text) * _MILLISECOND_NS
    try:
        return parse_instant(value.text)
    except ValueError:
        message = f"expected an RFC 3339 time or epoch milliseconds at {value.at}"
        raise FilterFault(message) from None


def _in_time(found: tuple[str, ...], operator: str, wanted: int) -> bool:
    if not found or not found[0]:
        return False
    time = parse_instant(found[0])
    return {
        "=": time == wanted,
        "<": time < wanted,
        "<=": time <= wanted,
        ">": time > wanted,
        ">=": time >= wanted,
    }[operator]
