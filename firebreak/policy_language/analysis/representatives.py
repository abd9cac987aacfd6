"""A few values of a fact that stand for all it may have, as far as some clauses can tell them apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from firebreak.core.facts import Fact, FactType, FactValue
from firebreak.core.policy.clause import Clause, NamedSet, Operator, Span, instant_or_none, truth_of
from firebreak.core.ternary import Truth
from firebreak.core.timestamps import NANOS, format_instant, parse_instant
from firebreak.policy_language.analysis.glob_samples import glob_samples

_MOST_MEMBERS = 8
_FIRST_NS, _LAST_NS = (parse_instant(text) for text in ("1970-01-02T00:00:00Z", "9998-01-01T00:00:00Z"))


@dataclass(frozen=True, slots=True)
class Representatives:
    """`complete`: for every value that the fact may have, one of these makes the same clauses true."""

    values: tuple[FactValue, ...]
    complete: bool


def representatives(name: str, fact: Fact, clauses: Sequence[Clause], now_ns: int) -> Representatives:
    """Values of one fact, no two of which the clauses naming it judge alike."""
    about = [clause for clause in clauses if clause.fact == name]
    values, complete = _values(fact, about, now_ns)
    judged: dict[tuple[Truth, ...], FactValue] = {}
    for value in values:
        judged.setdefault(tuple(truth_of(clause, {name: value}, now_ns) for clause in about), value)
    return Representatives(tuple(judged.values()), complete)


def _values(fact: Fact, about: list[Clause], now_ns: int) -> tuple[Iterable[FactValue], bool]:
    match fact.type:
        case FactType.BOOL:
            return (True, False), True
        case FactType.NUMBER:
            return _around({one for one in _operands(about) if isinstance(one, int | float)}), True
        case FactType.TIME:
            return _instants(about, now_ns), True
        case FactType.TEXT if fact.choices:
            return (*fact.choices, ""), True
        case FactType.TEXT:
            return _texts(about)
        case FactType.TEXTS:
            return _lists(fact, about)


def _operands(about: list[Clause]) -> Iterator[FactValue]:
    for clause in about:
        if clause.operator not in (Operator.GLOB, Operator.EXISTS):
            operand = sorted(clause.operand.members) if isinstance(clause.operand, NamedSet) else clause.operand
            if not isinstance(operand, Span):
                yield from operand if isinstance(operand, tuple | list) else (operand,)


def _around(points: set[int | float]) -> list[FactValue]:
    """Each point, one between each two, and one beyond each end."""
    marks = sorted(points) or [0]
    between = [(low + high) / 2 for low, high in itertools.pairwise(marks)]
    return [*marks, marks[0] - 1, marks[-1] + 1, *between]


def _instants(about: list[Clause], now_ns: int) -> list[FactValue]:
    marks = {now_ns - one.operand.seconds * NANOS for one in about if isinstance(one.operand, Span)}
    marks |= {found for one in _operands(about) if (found := instant_or_none(str(one))) is not None}
    near = {mark + step for mark in marks for step in (-1, 0, 1)}
    # A mark before all time has every time behind it.
    told = sorted(one for one in near if _FIRST_NS <= one <= _LAST_NS) or [now_ns]
    return [format_instant(one) for one in told]


def _texts(about: list[Clause]) -> tuple[list[FactValue], bool]:
    literals = [one for one in _operands(about) if isinstance(one, str)]
    globs = _globs(about)
    samples = glob_samples(globs or ["*"], frozenset({*literals, ""}))
    return [*literals, "", *samples.texts], samples.complete


def _globs(about: list[Clause]) -> list[str]:
    return list(dict.fromkeys(str(one.operand) for one in about if one.operator is Operator.GLOB))


def _lists(fact: Fact, about: list[Clause]) -> tuple[list[FactValue], bool]:
    """Lists of the members that clauses name, of texts that globs tell apart, and of one that nothing names."""
    literals = [one for one in dict.fromkeys(_operands(about)) if isinstance(one, str)]
    if fact.choices:
        members, complete = list(fact.choices), True
    else:
        samples = glob_samples(_globs(about) or ["*"], frozenset(literals))
        members, complete = [*literals, *samples.texts], samples.complete
    members = _told_apart(members, about)
    few = len(members) <= _MOST_MEMBERS
    sizes = range(len(members) + 1) if few else (0, 1, 2, len(members))
    lists: list[FactValue] = [chosen for size in sizes for chosen in itertools.combinations(members, size)]
    return lists, complete and few


def _told_apart(members: list[str], about: list[Clause]) -> list[str]:
    """Members that every clause judges alike on their own stand for each other, but where all of several are wanted."""
    judged: dict[tuple[object, ...], str] = {}
    for member in members:
        alone = [truth_of(one, {one.fact: (member,)}) for one in about]
        wanted = [member in _operands([one]) for one in about if one.operator is Operator.CONTAINS_ALL]
        several = [member if any(wanted) else ""]
        judged.setdefault((*alone, *wanted, *several), member)
    return list(judged.values())
