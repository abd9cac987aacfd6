from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.facts import FactType
from firebreak.core.glob import glob_matches
from firebreak.core.policy.category_index import index_by
from firebreak.core.policy.clause import Clause, NamedSet, Operator, Span, truth_of
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf, clauses, match, truth_in, waits_for
from firebreak.core.policy.protected import Pattern, Place, Protected, protects
from firebreak.core.ternary import Truth, every, negated, some
from firebreak.core.timestamps import parse_instant
from tests.policy_language.policy_strategies import HERE, RANKS, clocks, conditions, fact_maps, facts_and_fewer

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
NOW = parse_instant("2025-01-01T00:00:00Z")
SOME, A_DAY = NamedSet(frozenset({"A", "B"}), "some"), Span(86_400, "1d")
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.text())
ANY_VALUE = ANYTHING | ANYTHING.map(lambda value: (value,)) | st.dictionaries(st.text(), st.text())


def clause(kind: FactType, operator: Operator, operand: Any, ranks: tuple[str, ...] = ()) -> Clause:
    return Clause("x.fact", operator, operand, kind, ranks, HERE)


@pytest.mark.parametrize(
    ("kind", "operator", "operand", "value", "truth"),
    [
        (FactType.TEXT, Operator.EQUALS, "A", "A", T),
        (FactType.TEXT, Operator.EQUALS, "A", "a", F),
        (FactType.NUMBER, Operator.EQUALS, 1, 1.0, T),
        (FactType.BOOL, Operator.EQUALS, False, False, T),
        (FactType.BOOL, Operator.EQUALS, True, 1, U),
        (FactType.NUMBER, Operator.EQUALS, 1, True, U),
        (FactType.TEXT, Operator.IN, ("A", "B"), "B", T),
        (FactType.TEXT, Operator.IN, ("A", "B"), "C", F),
        (FactType.TEXT, Operator.NOT_IN, ("A", "B"), "C", T),
        (FactType.TEXT, Operator.NOT_IN, ("A", "B"), "A", F),
        (FactType.NUMBER, Operator.AT_LEAST, 10, 10, T),
        (FactType.NUMBER, Operator.AT_LEAST, 10, 9.999, F),
        (FactType.NUMBER, Operator.AT_MOST, 10, 11, F),
        (FactType.NUMBER, Operator.AT_LEAST, 10, "11", U),
        (FactType.NUMBER, Operator.AT_LEAST, 10, float("nan"), U),
        (FactType.NUMBER, Operator.AT_LEAST, 2**53, 2**53 + 1, T),
        (FactType.TEXT, Operator.AT_LEAST, "MEDIUM", "HIGH", T),
        (FactType.TEXT, Operator.AT_LEAST, "MEDIUM", "LOW", F),
        (FactType.TEXT, Operator.AT_MOST, "MEDIUM", "MEDIUM", T),
        (FactType.TEXT, Operator.AT_LEAST, "MEDIUM", "SEVERE", U),
        (FactType.TEXT, Operator.GLOB, "core-*", "core-x", T),
        (FactType.TEXT, Operator.GLOB, "core-*", "Core-x", F),
        (FactType.TEXTS, Operator.CONTAINS, "a=b", ("x=y", "a=b"), T),
        (FactType.TEXTS, Operator.CONTAINS, "a", ("ab",), F),
        (FactType.TEXTS, Operator.CONTAINS, "a", (), F),
        (FactType.TEXTS, Operator.CONTAINS, "a", "a", U),
        (FactType.TEXTS, Operator.CONTAINS_ANY, ("a", "b"), ("b",), T),
        (FactType.TEXTS, Operator.CONTAINS_ANY, ("a", "b"), ("c",), F),
        (FactType.TEXT, Operator.EXISTS, True, "", F),
        (FactType.TEXT, Operator.EXISTS, False, "", T),
        (FactType.TEXTS, Operator.EXISTS, True, ("a",), T),
        (FactType.TEXTS, Operator.EXISTS, False, (), T),
        (FactType.NUMBER, Operator.EXISTS, True, 0, T),
        (FactType.BOOL, Operator.EXISTS, True, False, T),
        (FactType.TIME, Operator.AT_LEAST, "2025-01-01T00:00:00Z", "2025-01-01T01:00:00+01:00", T),
        (FactType.TIME, Operator.AT_MOST, "2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000000001Z", F),
        (FactType.TIME, Operator.AT_MOST, "2025-01-01T00:00:00Z", "yesterday", U),
        (FactType.TEXT, Operator.IN_SET, SOME, "A", T),
        (FactType.TEXT, Operator.IN_SET, SOME, "a", F),
        (FactType.TEXT, Operator.NOT_IN_SET, SOME, "C", T),
        (FactType.TEXT, Operator.NOT_IN_SET, SOME, "B", F),
        (FactType.TEXTS, Operator.IN_SET, SOME, ("x", "A"), T),
        (FactType.TEXTS, Operator.IN_SET, SOME, (), F),
        (FactType.TEXTS, Operator.NOT_IN_SET, SOME, (), T),
        (FactType.TEXTS, Operator.NOT_IN_SET, SOME, ("x", "A"), F),
        (FactType.TEXTS, Operator.CONTAINS_ALL, ("a", "b"), ("b", "x", "a"), T),
        (FactType.TEXTS, Operator.CONTAINS_ALL, ("a", "b"), ("b",), F),
        (FactType.TEXTS, Operator.GLOB, "team=pay-*", ("tier=low", "team=pay-eu"), T),
        (FactType.TEXTS, Operator.GLOB, "team=pay-*", ("team=play",), F),
        (FactType.TIME, Operator.NEWER_THAN, A_DAY, "2024-12-31T00:00:00.000000001Z", T),
        (FactType.TIME, Operator.NEWER_THAN, A_DAY, "2024-12-31T00:00:00Z", F),
        (FactType.TIME, Operator.NEWER_THAN, A_DAY, "2025-06-01T00:00:00Z", T),
        (FactType.TIME, Operator.OLDER_THAN, A_DAY, "2024-12-30T23:59:59.999999999Z", T),
        (FactType.TIME, Operator.OLDER_THAN, A_DAY, "2024-12-31T00:00:00Z", F),
        (FactType.TIME, Operator.OLDER_THAN, A_DAY, "2025-06-01T00:00:00Z", F),
        (FactType.TIME, Operator.OLDER_THAN, A_DAY, "yesterday", U),
    ],
)
def test_an_operator_means_what_it_says(
    kind: FactType,
    operator: Operator,
    operand: Any,
    value: Any,
    truth: Truth,
) -> None:
    ranks = RANKS if kind is FactType.TEXT else ()

    assert truth_of(clause(kind, operator, operand, ranks), {"x.fact": value}, NOW) is truth


@given(conditions(), fact_maps())
def test_every_clause_on_an_unknown_fact_is_unknown(condition: Condition, facts: dict[str, Any]) -> None:
    unknown = [one for one in match(condition, facts).trace if one.fact not in facts]

    assert all(one.truth is U and one.value is None for one in unknown)


@given(conditions(), fact_maps())
def test_the_trace_holds_every_clause_in_order(condition: Condition, facts: dict[str, Any]) -> None:
    traced = [(one.fact, one.operator, one.operand) for one in match(condition, facts).trace]

    assert traced == [(one.fact, one.operator, one.operand) for one in clauses(condition)]


@given(
    conditions(),
    st.dictionaries(st.sampled_from(["alpha.text", "beta.number", "gamma.texts", "alpha.time"]), ANY_VALUE),
    clocks(),
)
def test_no_value_of_any_type_can_break_matching(
    condition: Condition, facts: dict[str, Any], now_ns: int | None
) -> None:
    matched = match(condition, facts, now_ns)

    assert matched.truth is truth_in(condition, facts, now_ns)
    assert all(str(one) for one in matched.trace)


@given(conditions(), facts_and_fewer(), clocks())
def test_a_fact_more_never_turns_true_into_false_or_false_into_true(
    condition: Condition, both: tuple[dict[str, Any], dict[str, Any]], now_ns: int | None
) -> None:
    full, fewer = (match(condition, facts, now_ns).truth for facts in both)

    assert fewer in (U, full)


@given(conditions(), fact_maps())
def test_a_condition_waits_for_sources_exactly_when_it_is_unknown(condition: Condition, facts: dict[str, Any]) -> None:
    waiting = waits_for(condition, facts)
    missing = {one.fact.partition(".")[0] for one in match(condition, facts).trace if one.truth is U}

    assert bool(waiting) is (match(condition, facts).truth is U)
    assert waiting <= missing


@pytest.mark.parametrize("operator", [Operator.NEWER_THAN, Operator.OLDER_THAN])
def test_an_age_is_unknown_where_nobody_says_what_time_it_is(operator: Operator) -> None:
    condition = clause(FactType.TIME, operator, A_DAY)

    assert match(condition, {"x.fact": "2024-01-01T00:00:00Z"}).truth is U
    assert waits_for(condition, {"x.fact": "2024-01-01T00:00:00Z"}) == {"x"}


@given(st.lists(conditions(), max_size=6), fact_maps(), clocks())
def test_the_index_leaves_out_only_what_is_false(
    several: list[Condition], facts: dict[str, Any], now_ns: int | None
) -> None:
    value = facts.get("alpha.text", "")
    left = list(index_by("alpha.text", several).open_for(value))
    truths = [truth_in(one, facts | {"alpha.text": value}, now_ns) for one in several]

    assert left == sorted(left)
    assert all(truth is F for position, truth in enumerate(truths) if position not in left)


def test_the_index_finds_policies_of_one_category_without_the_others() -> None:
    named = [clause(FactType.TEXT, Operator.EQUALS, str(number)) for number in range(1_000)]
    among = clause(FactType.TEXT, Operator.IN_SET, NamedSet(frozenset({"7", "8"}), "some"))
    index = index_by("x.fact", [*named, AnyOf((among, named[9])), NoneOf((named[7],))])

    assert list(index.open_for("7")) == [7, 1_000, 1_001]
    assert list(index.open_for("nowhere")) == [1_001]


def test_a_group_that_is_settled_waits_for_nothing() -> None:
    public = Clause("workload.public", Operator.EQUALS, True, FactType.BOOL, (), HERE)  # noqa: FBT003
    known = Clause("finding.hash", Operator.EQUALS, True, FactType.BOOL, (), HERE)  # noqa: FBT003
    label = Clause("virustotal.label", Operator.EQUALS, "x", FactType.TEXT, (), HERE)
    condition = AllOf((AnyOf((known, public)), NoneOf((label,))))

    assert waits_for(condition, {"finding.hash": True}) == {"virustotal"}
    assert match(condition, {"finding.hash": True, "virustotal.label": "x"}).truth is F


def test_the_trace_names_the_groups_around_a_clause() -> None:
    one = clause(FactType.NUMBER, Operator.EQUALS, 1)
    condition = AllOf((one, AnyOf((AllOf((one,)), AllOf((NoneOf((one,)),))))))

    assert [traced.within for traced in match(condition, {}).trace] == ["", "any_of[0]", "any_of[1].none_of[0]"]


def test_kleene_by_table() -> None:
    pairs = list(itertools.product(Truth, repeat=2))

    assert [every(pair) for pair in pairs] == [F, F, F, F, U, U, F, U, T]
    assert [some(pair) for pair in pairs] == [F, U, T, U, U, T, T, T, T]
    assert [negated(one) for one in Truth] == [T, U, F]
    assert (every(()), some(())) == (T, F)


def test_a_truth_cannot_be_taken_for_a_boolean() -> None:
    with pytest.raises(TypeError):
        bool(T)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_glob_agrees_with_the_regular_expression_it_stands_for(pattern: str, text: str) -> None:
    expression = "".join({"*": "(?s:.*)", "?": "(?s:.)"}.get(char, re.escape(char)) for char in pattern)

    assert glob_matches(pattern, text) is (re.fullmatch(expression, text) is not None)


def test_a_hostile_glob_is_answered_without_blowing_up() -> None:
    assert not glob_matches("*a" * 128, "a" * 100_000 + "b")
    assert not glob_matches("*?a" * 85 + "c", "a" * 20_000)


@pytest.mark.parametrize(
    ("entry", "place", "truth"),
    [
        (Protected(project=Pattern("pay")), Place(project="pay"), T),
        (Protected(project=Pattern("pay")), Place(project="payments"), F),
        (Protected(project=Pattern("pay")), Place(project_number="123"), U),
        (Protected(project=Pattern("123")), Place(project="pay", project_number="123"), T),
        (Protected(project=Pattern("123")), Place(project="pay"), U),
        (Protected(project=Pattern("123")), Place(project_number="1234"), F),
        (Protected(project=Pattern("core-*", glob=True)), Place(project="core-a"), T),
        (Protected(project=Pattern("core-*", glob=True)), Place(project="a-core-a"), F),
        (Protected(project=Pattern("12*", glob=True)), Place(project="core", project_number="123"), T),
        (Protected(project=Pattern("a"), service=Pattern("s")), Place(project="a", service="t"), F),
        (Protected(project=Pattern("a"), service=Pattern("s")), Place(project="a"), U),
        (Protected(folder="456"), Place(folders=frozenset({"1", "456"})), T),
        (Protected(folder="456"), Place(folders=frozenset()), F),
        (Protected(folder="456"), Place(), U),
        (Protected(labels=(("tier", Pattern("critical")),)), Place(labels={"tier": "critical"}), T),
        (Protected(labels=(("tier", Pattern("critical")),)), Place(labels={"tier": "low"}), F),
        (Protected(labels=(("tier", Pattern("critical")),)), Place(labels={}), F),
        (Protected(labels=(("tier", Pattern("critical")),)), Place(), U),
        (Protected(project=Pattern("a"), labels=(("tier", Pattern("*", glob=True)),)), Place(project="b"), F),
    ],
)
def test_an_entry_protects_when_all_its_parts_hold(entry: Protected, place: Place, truth: Truth) -> None:
    assert protects(entry, place) is truth
