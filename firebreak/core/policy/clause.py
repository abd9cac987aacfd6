"""One comparison of one fact: what the operators mean, for every value a fact may turn out to have."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.diagnostics import Location
from firebreak.core.facts import Facts, FactType, FactValue, partly_known
from firebreak.core.glob import glob_matches
from firebreak.core.ternary import Truth
from firebreak.core.timestamps import NANOS, parse_instant


class Operator(enum.StrEnum):
    """How a clause compares its fact, spelt as in policies; `equals` is what a bare value means."""

    EQUALS = "equals"
    IN = "in"
    NOT_IN = "not_in"
    IN_SET = "in_set"
    NOT_IN_SET = "not_in_set"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    NEWER_THAN = "newer_than"
    OLDER_THAN = "older_than"
    GLOB = "glob"
    CONTAINS = "contains"
    CONTAINS_ANY = "contains_any"
    CONTAINS_ALL = "contains_all"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, and how the policy writes it."""

    seconds: int
    written: str = field(compare=False)

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class NamedSet:
    """The members of a set of `firebreak.yaml`, and the name that policies use for it."""

    members: frozenset[str]
    called: str = field(compare=False)

    def __str__(self) -> str:
        return self.called


Operand = FactValue | tuple[FactValue, ...] | Span | NamedSet
Test = Callable[[Facts, int | None], Truth]


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of one fact. Operators on several values have a tuple as operand.

    `ranks` are the fact's choices upwards where `at_least` and `at_most` go by them, else empty. `test` is made of all
    this once, because clauses are read once and tried for every finding.
    """

    fact: str
    operator: Operator
    operand: Operand
    type: FactType
    ranks: tuple[str, ...]
    at: Location
    test: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the test."""
        object.__setattr__(self, "test", _test_of(self))


def truth_of(clause: Clause, facts: Facts, now_ns: int | None = None) -> Truth:
    """Whether the clause holds; a fact that is missing, or not of the type the catalogue gives it, is unknown.

    So is the age of a time where `now_ns`, nanoseconds since 1970, is not given.
    """
    return clause.test(facts, now_ns)


def exists(value: object) -> bool:
    """Whether a known value is something: an empty text or an empty list says that there is none."""
    return value not in ("", ())


def instant_or_none(text: str) -> int | None:
    """Nanoseconds since 1970, or None for a text that is not an RFC 3339 time."""
    try:
        return parse_instant(text)
    except ValueError:
        return None


Holds = Callable[[Any, int | None], bool | None]


def _test_of(clause: Clause) -> Test:
    fact, holds = clause.fact, _HOLDS[clause.operator](clause)
    kinds, unfit, in_doubt = _KINDS[clause.type], _UNFIT.get(clause.type), _in_doubt(clause)

    def test(facts: Facts, now_ns: int | None) -> Truth:
        value: object = facts.get(fact)
        if not isinstance(value, kinds) or (unfit is not None and unfit(value)):
            return Truth.UNKNOWN
        held = holds(value, now_ns)
        if held is None or (held is in_doubt and partly_known(value)):
            return Truth.UNKNOWN
        return Truth.TRUE if held else Truth.FALSE

    return test


_KINDS: Mapping[FactType, type | tuple[type, ...]] = {
    FactType.TEXT: str,
    FactType.NUMBER: (int, float),
    FactType.BOOL: bool,
    FactType.TEXTS: tuple,
    FactType.TIME: str,
}
_UNFIT: Mapping[FactType, Callable[[Any], bool]] = {
    FactType.NUMBER: lambda value: isinstance(value, bool) or value != value,  # noqa: PLR0124 - only NaN differs so
    FactType.TEXTS: lambda value: not all(isinstance(one, str) for one in value),
}


def _in_doubt(clause: Clause) -> bool | None:
    """The answer that might be another one, had a text of a list not been cut, or a secret not been taken out of it."""
    if clause.type is not FactType.TEXTS or clause.operator is Operator.EXISTS:
        return None
    return clause.operator is Operator.NOT_IN_SET


def _equal(clause: Clause) -> Holds:
    wanted = clause.operand
    return lambda value, _: bool(value == wanted)


def _among(clause: Clause) -> Holds:
    wanted = frozenset(_several(clause.operand))
    if clause.type is FactType.TEXTS:
        return lambda value, _: not wanted.isdisjoint(value)
    return lambda value, _: value in wanted


def _not_among(clause: Clause) -> Holds:
    among = _among(clause)
    return lambda value, now_ns: not among(value, now_ns)


def _on_its_side(clause: Clause) -> Holds:
    bound, upwards = _measure(clause, clause.operand), clause.operator is Operator.AT_LEAST

    def holds(value: object, _: int | None) -> bool | None:
        known = _measure(clause, value)
        if known is None or bound is None:
            return None
        return known >= bound if upwards else known <= bound

    return holds


def _of_age(clause: Clause) -> Holds:
    """A time of exactly that age is neither newer nor older; one still to come is newer."""
    span, newer = clause.operand, clause.operator is Operator.NEWER_THAN
    limit = span.seconds * NANOS if isinstance(span, Span) else 0

    def holds(value: str, now_ns: int | None) -> bool | None:
        instant = instant_or_none(value)
        if instant is None or now_ns is None:
            return None
        age = now_ns - instant
        return age < limit if newer else age > limit

    return holds


def _fitting(clause: Clause) -> Holds:
    pattern = str(clause.operand)
    if clause.type is FactType.TEXTS:
        return lambda value, _: any(glob_matches(pattern, one) for one in value)
    return lambda value, _: glob_matches(pattern, value)


def _containing(clause: Clause) -> Holds:
    wanted = frozenset(_several(clause.operand))
    return lambda value, _: wanted.issubset(value)


def _existing(clause: Clause) -> Holds:
    wanted = clause.operand
    return lambda value, _: exists(value) == wanted


_HOLDS: Mapping[Operator, Callable[[Clause], Holds]] = {
    Operator.EQUALS: _equal,
    Operator.IN: _among,
    Operator.NOT_IN: _not_among,
    Operator.IN_SET: _among,
    Operator.NOT_IN_SET: _not_among,
    Operator.AT_LEAST: _on_its_side,
    Operator.AT_MOST: _on_its_side,
    Operator.NEWER_THAN: _of_age,
    Operator.OLDER_THAN: _of_age,
    Operator.GLOB: _fitting,
    Operator.CONTAINS: _containing,
    Operator.CONTAINS_ANY: _among,
    Operator.CONTAINS_ALL: _containing,
    Operator.EXISTS: _existing,
}


def _several(operand: Operand) -> tuple[FactValue, ...]:
    if isinstance(operand, NamedSet):
        return tuple(operand.members)
    if isinstance(operand, Span):
        return ()
    return operand if isinstance(operand, tuple) else (operand,)


def _measure(clause: Clause, value: object) -> float | None:
    """The value as a number that orders it among its like; integers stay exact."""
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    if clause.type is FactType.TIME:
        return instant_or_none(value)
    return clause.ranks.index(value) if value in clause.ranks else None
