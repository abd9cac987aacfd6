"""Hypothesis strategies for conditions, policies and facts over a small world of sources."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.clause import Clause, Operator
from core.evidence import FactType
from core.faults import Location
from core.matching import AllOf, AnyOf, Condition, NoneOf
from core.mode import Mode
from core.policy import Policy

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
OPERATORS = {
    FactType.TEXT: (Operator.EQUALS, *_SEVERAL, *_COMPARED, Operator.GLOB, Operator.EXISTS),
    FactType.NUMBER: (Operator.EQUALS, *_SEVERAL, *_COMPARED, Operator.EXISTS),
    FactType.BOOL: (Operator.EQUALS, Operator.EXISTS),
    FactType.TEXTS: (Operator.CONTAINS, Operator.CONTAINS_ANY, Operator.EXISTS),
    FactType.TIME: (*_COMPARED, Operator.EXISTS),
}


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    kind = draw(st.sampled_from(sorted(NAMES, key=str)))
    operator = draw(st.sampled_from(OPERATORS[kind]))
    fact = f"{draw(st.sampled_from(SOURCES))}.{NAMES[kind]}"
    return Clause(fact, operator, draw(_operands(kind, operator)), kind, RANKS if kind is FactType.TEXT else (), HERE)


def _operands(kind: FactType, operator: Operator) -> st.SearchStrategy[Any]:
    if operator is Operator.EXISTS:
        return st.booleans()
    if operator is Operator.GLOB:
        return st.sampled_from(("*", "H*", "?OW", "*I*", "x"))
    if operator is Operator.CONTAINS:
        return st.sampled_from("abc")
    if operator is Operator.CONTAINS_ANY:
        return st.lists(st.sampled_from("abc"), min_size=1, max_size=2).map(tuple)
    value = VALUES[kind]
    return st.lists(value, min_size=1, max_size=2).map(tuple) if operator in _SEVERAL else value


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
