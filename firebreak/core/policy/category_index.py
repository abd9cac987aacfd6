"""Which of many conditions one text fact leaves open, found without looking at those that it rules out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firebreak.core.facts import FactType
from firebreak.core.policy.clause import Clause, NamedSet, Operator
from firebreak.core.policy.condition import AllOf, AnyOf, Condition

_NAMES_VALUES = (Operator.EQUALS, Operator.IN, Operator.IN_SET)


@dataclass(frozen=True, slots=True)
class FactIndex:
    """Positions of conditions by the values of the fact that they name; `others` take any value, for all that shows."""

    named: Mapping[str, tuple[int, ...]]
    others: tuple[int, ...]

    def open_for(self, value: str) -> tuple[int, ...]:
        """In order, the positions of the conditions that are not false for this value whatever else is known."""
        named = self.named.get(value, ())
        return tuple(sorted(named + self.others)) if self.others else named


def index_by(fact: str, conditions: Sequence[Condition]) -> FactIndex:
    """Look at every condition once."""
    named: dict[str, list[int]] = {}
    others: list[int] = []
    for position, condition in enumerate(conditions):
        values = values_named(fact, condition)
        if values is None:
            others.append(position)
        for value in values or ():
            named.setdefault(value, []).append(position)
    return FactIndex({value: tuple(found) for value, found in named.items()}, tuple(others))


def values_named(fact: str, condition: Condition) -> frozenset[str] | None:
    """The only values of a text fact with which the condition can be anything but false; None: perhaps any."""
    if isinstance(condition, Clause):
        return _of_clause(condition) if condition.fact == fact and condition.type is FactType.TEXT else None
    named = [values_named(fact, part) for part in condition.parts]
    limits = [values for values in named if values is not None]
    if isinstance(condition, AllOf):
        return frozenset.intersection(*limits) if limits else None
    if isinstance(condition, AnyOf) and len(limits) == len(named):
        return frozenset[str]().union(*limits)
    return None


def _of_clause(clause: Clause) -> frozenset[str] | None:
    if clause.operator not in _NAMES_VALUES:
        return None
    if isinstance(clause.operand, NamedSet):
        return clause.operand.members
    values = clause.operand if isinstance(clause.operand, tuple) else (clause.operand,)
    return frozenset(value for value in values if isinstance(value, str))
