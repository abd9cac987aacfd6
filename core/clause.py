"""One comparison of one fact: what the operators mean, for every value a fact may turn out to have."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.evidence import Facts, FactType, FactValue
from core.faults import Location
from core.glob import glob_matches
from core.instants import parse_instant
from core.truth import Truth, truth


class Operator(enum.StrEnum):
    """How a clause compares its fact, spelt as in policies; `equals` is what a bare value means."""

    EQUALS = "equals"
    IN = "in"
    NOT_IN = "not_in"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    GLOB = "glob"
    CONTAINS = "contains"
    CONTAINS_ANY = "contains_any"
    EXISTS = "exists"


Operand = FactValue | tuple[FactValue, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of one fact; `in`, `not_in` and `contains_any` have a tuple as operand.

    `ranks` are the fact's choices upwards where `at_least` and `at_most` go by them, else empty.
    """

    fact: str
    operator: Operator
    operand: Operand
    type: FactType
    ranks: tuple[str, ...]
    at: Location


def truth_of(clause: Clause, facts: Facts) -> Truth:
    """Whether the clause holds; a fact that is missing, or not of the type the catalogue gives it, is unknown."""
    value: object = facts.get(clause.fact)
    if not _fits(value, clause.type):
        return Truth.UNKNOWN
    if clause.operator in (Operator.AT_LEAST, Operator.AT_MOST):
        return truth(_on_its_side(clause, value))
    return truth(_HOLDS[clause.operator](value, clause.operand))


def exists(value: object) -> bool:
    """Whether a known value is something: an empty text or an empty list says that there is none."""
    return value not in ("", ())


_HOLDS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUALS: lambda value, wanted: bool(value == wanted),
    Operator.IN: lambda value, wanted: value in wanted,
    Operator.NOT_IN: lambda value, wanted: value not in wanted,
    Operator.GLOB: lambda value, wanted: glob_matches(wanted, value),
    Operator.CONTAINS: lambda value, wanted: wanted in value,
    Operator.CONTAINS_ANY: lambda value, wanted: not set(wanted).isdisjoint(value),
    Operator.EXISTS: lambda value, wanted: exists(value) == wanted,
}


def _on_its_side(clause: Clause, value: object) -> bool | None:
    known, bound = _measure(clause, value), _measure(clause, clause.operand)
    if known is None or bound is None:
        return None
    return known >= bound if clause.operator is Operator.AT_LEAST else known <= bound


def _measure(clause: Clause, value: object) -> float | None:
    """The value as a number that orders it among its like; integers stay exact."""
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    if clause.type is FactType.TIME:
        return instant_or_none(value)
    return clause.ranks.index(value) if value in clause.ranks else None


def instant_or_none(text: str) -> int | None:
    """Nanoseconds since 1970, or None for a text that is not an RFC 3339 time."""
    try:
        return parse_instant(text)
    except ValueError:
        return None


def _fits(value: object, kind: FactType) -> bool:
    if kind is FactType.TEXTS:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    if kind is FactType.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
    return isinstance(value, bool if kind is FactType.BOOL else str)
