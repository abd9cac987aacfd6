"""Three-valued matching of conditions on facts, with every clause on the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from firebreak.core.facts import Facts, FactValue, source_of
from firebreak.core.policy.clause import Clause, Operand, Operator, Test, truth_of
from firebreak.core.ternary import Truth, every, negated, some


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every part does."""

    parts: tuple[Condition, ...]
    test: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the test of those of the parts."""
        object.__setattr__(self, "test", _until(Truth.FALSE, self.parts, Truth.TRUE))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when at least one part does."""

    parts: tuple[Condition, ...]
    test: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the test of those of the parts."""
        object.__setattr__(self, "test", _until(Truth.TRUE, self.parts, Truth.FALSE))


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Holds when every part is false."""

    parts: tuple[Condition, ...]
    test: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the test of those of the parts."""
        some_holds = _until(Truth.TRUE, self.parts, Truth.FALSE)
        object.__setattr__(self, "test", lambda facts, now_ns: negated(some_holds(facts, now_ns)))


def _until(decisive: Truth, parts: tuple[Condition, ...], otherwise: Truth) -> Test:
    """Kleene's and (or his or), written out because nothing runs more often: the first decisive part settles it."""
    tests = tuple(part.test for part in parts)

    def test(facts: Facts, now_ns: int | None) -> Truth:
        so_far = otherwise
        for one in tests:
            truth = one(facts, now_ns)
            if truth is decisive:
                return truth
            if truth is Truth.UNKNOWN:
                so_far = truth
        return so_far

    return test


Condition = Clause | AllOf | AnyOf | NoneOf


@dataclass(frozen=True, slots=True)
class Traced:
    """How one clause went; `value` is None where the fact is unknown, `within` the groups around it: `any_of[0]`."""

    fact: str
    operator: Operator
    operand: Operand
    value: FactValue | None
    truth: Truth
    within: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """The truth of a condition, and how each of its clauses went, in the order they were written."""

    truth: Truth
    trace: tuple[Traced, ...]


def match(condition: Condition, facts: Facts, now_ns: int | None = None) -> Matched:
    """Evaluate every clause, also those that no longer matter; total for facts of any type.

    Without `now_ns`, nanoseconds since 1970, the age of a time is unknown.
    """
    trace: list[Traced] = []
    return Matched(_evaluate(condition, facts, now_ns, "", trace), tuple(trace))


def truth_in(condition: Condition, facts: Facts, now_ns: int | None = None) -> Truth:
    """The same truth without the record of it, looking no further than it takes."""
    return condition.test(facts, now_ns)


def waits_for(condition: Condition, facts: Facts, now_ns: int | None = None) -> frozenset[str]:
    """The sources whose missing facts leave this condition unknown; empty when it is true or false."""
    if truth_in(condition, facts, now_ns) is not Truth.UNKNOWN:
        return frozenset()
    if isinstance(condition, Clause):
        return frozenset({source_of(condition.fact)})
    return frozenset[str]().union(*(waits_for(part, facts, now_ns) for part in condition.parts))


def clauses(condition: Condition) -> tuple[Clause, ...]:
    """Every clause of a condition, in the order they were written."""
    if isinstance(condition, Clause):
        return (condition,)
    return tuple(clause for part in condition.parts for clause in clauses(part))


def joined(group: AllOf | AnyOf | NoneOf, truths: Iterable[Truth]) -> Truth:
    """The truth of a group from the truths of its parts."""
    if isinstance(group, AllOf):
        return every(truths)
    return some(truths) if isinstance(group, AnyOf) else negated(some(truths))


def _evaluate(condition: Condition, facts: Facts, now_ns: int | None, within: str, trace: list[Traced]) -> Truth:
    if isinstance(condition, Clause):
        truth = truth_of(condition, facts, now_ns)
        value = facts.get(condition.fact)
        trace.append(Traced(condition.fact, condition.operator, condition.operand, value, truth, within))
        return truth
    return joined(
        condition,
        [
            _evaluate(part, facts, now_ns, _below(within, condition, at), trace)
            for at, part in enumerate(condition.parts)
        ],
    )


def _below(within: str, group: AllOf | AnyOf | NoneOf, index: int) -> str:
    if isinstance(group, AllOf):
        return within
    word = "any_of" if isinstance(group, AnyOf) else "none_of"
    return f"{within}.{word}[{index}]" if within else f"{word}[{index}]"
