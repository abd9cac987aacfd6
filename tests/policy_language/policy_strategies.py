"""Hypothesis strategies for conditions, policies and facts over a small world of sources."""

from __future__ import annotations

import functools
from typing import Any

from hypothesis import strategies as st

from firebreak.core.diagnostics import Location
from firebreak.core.facts import FactType
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import Clause, NamedSet, Operator, Span
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf
from firebreak.core.policy.policy import Policy
from firebreak.core.timestamps import parse_instant

HERE = Location("policy.yaml", 1, 1)
RANKS = ("LOW", "MEDIUM", "HIGH")
SOURCES = ("alpha", "beta", "gamma")
NAMES = {
    FactType.TEXT: "text",
    FactType.NUMBER: "number",
    FactType.BOOL: "bool",
    FactType.TEXTS: "texts",
    FactType.TIME: "time",
}
TIMES = ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2025-06-01T12:00:00.5+02:00")
VALUES: dict[FactType, st.SearchStrategy[Any]] = {
    FactType.TEXT: st.sampled_from(RANKS),
    FactType.NUMBER: st.integers(0, 3) | st.floats(0, 3),
    FactType.BOOL: st.booleans(),
    FactType.TEXTS: st.lists(st.sampled_from("abc"), max_size=3).map(tuple),
    FactType.TIME: st.sampled_from(TIMES),
}
_COMPARED = (Operator.AT_LEAST, Operator.AT_MOST)
_SEVERAL = (Operator.IN, Operator.NOT_IN)
_SETS = (Operator.IN_SET, Operator.NOT_IN_SET)
_AGES = (Operator.NEWER_THAN, Operator.OLDER_THAN)
_LISTS = (Operator.CONTAINS_ANY, Operator.CONTAINS_ALL)
OPERATORS = {
    FactType.TEXT: (Operator.EQUALS, *_SEVERAL, *_SETS, *_COMPARED, Operator.GLOB, Operator.EXISTS),
    FactType.NUMBER: (Operator.EQUALS, *_SEVERAL, *_COMPARED, Operator.EXISTS),
    FactType.BOOL: (Operator.EQUALS, Operator.EXISTS),
    FactType.TEXTS: (Operator.CONTAINS, *_LISTS, *_SETS, Operator.GLOB, Operator.EXISTS),
    FactType.TIME: (*_COMPARED, *_AGES, Operator.EXISTS),
}


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    kind = draw(st.sampled_from(sorted(NAMES, key=str)))
    operator = draw(st.sampled_from(OPERATORS[kind]))
    fact = f"{draw(st.sampled_from(SOURCES))}.{NAMES[kind]}"
    return Clause(fact, operator, draw(_operands(kind, operator)), kind, RANKS if kind is FactType.TEXT else (), HERE)


@functools.cache
def _operands(kind: FactType, operator: Operator) -> st.SearchStrategy[Any]:
    members = st.sampled_from(RANKS if kind is FactType.TEXT else "abc")
    special: dict[Operator, st.SearchStrategy[Any]] = {
        Operator.EXISTS: st.booleans(),
        Operator.GLOB: st.sampled_from(("*", "H*", "?OW", "*I*", "x", "a")),
        Operator.CONTAINS: st.sampled_from("abc"),
        **dict.fromkeys(_LISTS, st.lists(st.sampled_from("abc"), min_size=1, max_size=2).map(tuple)),
        **dict.fromkeys(_AGES, st.sampled_from((Span(86_400, "1d"), Span(200 * 86_400, "200d")))),
        **dict.fromkeys(_SETS, st.frozensets(members, min_size=1, max_size=2).map(lambda some: NamedSet(some, "some"))),
        **dict.fromkeys(_SEVERAL, st.lists(VALUES[kind], min_size=1, max_size=2).map(tuple)),
    }
    return special.get(operator, VALUES[kind])


@functools.cache
def clocks() -> st.SearchStrategy[int | None]:
    """A clock that stands somewhere among the times that facts may have, or is not known."""
    return st.none() | st.sampled_from(TIMES).map(parse_instant) | st.just(parse_instant("2025-03-01T00:00:00Z"))


@functools.cache
def conditions() -> st.SearchStrategy[Condition]:
    def grouped(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        parts = st.lists(inner, min_size=0, max_size=3).map(tuple)
        return st.builds(AllOf, parts) | st.builds(AnyOf, parts) | st.builds(NoneOf, parts)

    return st.recursive(clauses(), grouped, max_leaves=5)


@st.composite
def policy_lists(draw: st.DrawFn) -> tuple[Policy, ...]:
    pairs = draw(st.lists(st.tuples(st.sampled_from(Mode), conditions()), max_size=5))
    return tuple(Policy(f"p{index}", "", mode, when, (), HERE) for index, (mode, when) in enumerate(pairs))


@st.composite
def fact_maps(draw: st.DrawFn) -> dict[str, Any]:
    names = {f"{source}.{word}": kind for source in SOURCES for kind, word in NAMES.items()}
    known = draw(st.sets(st.sampled_from(sorted(names))))
    return {name: draw(VALUES[names[name]]) for name in sorted(known)}


@st.composite
def facts_and_fewer(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    facts = draw(fact_maps())
    kept = draw(st.sets(st.sampled_from(sorted(facts)))) if facts else set[str]()
    return facts, {name: facts[name] for name in kept}
