"""Values for facts that an example leaves out: such that the policy's clauses hold, and what it excludes does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from firebreak.core.diagnostics import quoted
from firebreak.core.facts import Fact, FactType, FactValue
from firebreak.core.policy.clause import Clause, NamedSet, Operator, Span, instant_or_none, truth_of
from firebreak.core.policy.condition import AllOf, Condition, NoneOf
from firebreak.core.ternary import Truth
from firebreak.core.timestamps import NANOS, format_instant, parse_instant

_TO_BE_GIVEN = (Operator.GLOB, Operator.CONTAINS, Operator.CONTAINS_ANY, Operator.CONTAINS_ALL)
_SOME_TIME = "2025-01-01T00:00:00Z"
EXAMPLES_NOW = parse_instant("2026-01-01T00:00:00Z")
"""Where the clock of every example stands, so that an example says the same on any day."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One clause as an example wants it: to hold or not to; `firm` where nothing else could make up for it."""

    clause: Clause
    holds: bool
    firm: bool


class NotFound(ValueError):
    """No value of a fact could be made up; says why it must be given."""


def wishes(condition: Condition, *, holds: bool = True, firm: bool = True) -> Iterator[Constraint]:
    """What every clause of a condition should be for the condition to hold (or not to hold)."""
    if isinstance(condition, Clause):
        yield Constraint(condition, holds, firm)
        return
    inner = holds is not isinstance(condition, NoneOf)
    each_counts = inner if isinstance(condition, AllOf) else not inner
    still_firm = firm and (each_counts or len(condition.parts) == 1)
    for part in condition.parts:
        yield from wishes(part, holds=inner, firm=still_firm)


def sample(name: str, fact: Fact, wished: Iterable[Constraint]) -> FactValue:
    """A value of the fact that grants its wishes; raises NotFound where none does, or none may be made up."""
    about = [wish for wish in wished if wish.clause.fact == name]
    if any(wish.holds and _to_be_given(wish.clause) for wish in about):
        message = f"give {quoted(name)}: what satisfies glob and contains is not made up"
        raise NotFound(message)
    values = [value for wish in about for value in _values(wish.clause, fact)]
    best = max(values, key=lambda value: _merit(name, value, about))
    if not all(_granted(name, best, wish) for wish in _due(about)):
        message = f"give {quoted(name)}: no value of it was found that satisfies every clause naming it"
        raise NotFound(message)
    return best


def _to_be_given(clause: Clause) -> bool:
    several = clause.type is FactType.TEXTS and clause.operator is Operator.IN_SET
    return several or clause.operator in _TO_BE_GIVEN


def _due(wished: list[Constraint]) -> list[Constraint]:
    """What the value must grant: all that is firm, and the first clause that should hold."""
    return [wish for wish in wished if wish.firm] + [wish for wish in wished if wish.holds][:1]


def _merit(name: str, value: FactValue, wished: list[Constraint]) -> tuple[int, int, int]:
    due = sum(_granted(name, value, wish) for wish in _due(wished))
    excluded = sum(_granted(name, value, wish) for wish in wished if not wish.holds)
    return due, excluded, sum(_granted(name, value, wish) for wish in wished)


def _granted(name: str, value: FactValue, wish: Constraint) -> bool:
    return truth_of(wish.clause, {name: value}, EXAMPLES_NOW) is (Truth.TRUE if wish.holds else Truth.FALSE)


def _values(clause: Clause, fact: Fact) -> Iterator[FactValue]:
    """Values on both sides of what the clause compares with, those that satisfy it first."""
    operands = clause.operand if isinstance(clause.operand, tuple) else (clause.operand,)
    if isinstance(clause.operand, NamedSet):
        operands = tuple(sorted(clause.operand.members))
    if fact.type is FactType.BOOL:
        yield from (True, False)
    elif fact.type is FactType.NUMBER:
        numbers = [one for one in operands if isinstance(one, int | float) and not isinstance(one, bool)] or [1]
        yield from (*numbers, max(numbers) + 1, min(numbers) - 1)
    elif fact.type is FactType.TEXTS:
        yield from (("some=thing" if fact.pairs else "something",), ())
    elif fact.type is FactType.TIME:
        yield from _times(clause)
    elif clause.operator is Operator.GLOB:
        yield from (*(fact.choices or ("another",)), "")
    elif fact.choices:
        yield from (*(str(one) for one in operands if one in fact.choices), *fact.choices, "")
    else:
        texts = [one for one in operands if isinstance(one, str)]
        yield from (*texts, next(word for word in _words() if word not in texts), "")


def _times(clause: Clause) -> Iterator[str]:
    nanos = instant_or_none(str(clause.operand))
    if isinstance(clause.operand, Span):
        nanos = EXAMPLES_NOW - clause.operand.seconds * NANOS
    if nanos is None:
        yield _SOME_TIME
        return
    yield format_instant(nanos) if isinstance(clause.operand, Span) else str(clause.operand)
    for near in (nanos + NANOS, nanos - NANOS):
        try:
            yield format_instant(near)
        except (ValueError, OverflowError):  # beyond the years that can be written: one side is enough
            continue


def _words() -> Iterator[str]:
    yield "another"
    yield from (f"another-{number}" for number in range(2, 1_000_000))
