"""Matching is compiled once and left out by category; neither may change what is decided, whatever policies and facts.

The plain way is written down here a second time, as the documents say it and without regard to cost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from firebreak.core.facts import FactType, source_of
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import Clause, NamedSet, Operator, truth_of
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf, match, truth_in
from firebreak.core.policy.policy import CATEGORY, Config, Policy, PolicySet
from firebreak.core.policy.selection import choose, could_match, outstanding_matters
from firebreak.core.ternary import Truth
from tests.policy_language.policy_strategies import HERE, RANKS, SOURCES, clauses, clocks, conditions, fact_maps

_OF_CATEGORY = "alpha.text"
_VALUES: Mapping[Operator, Any] = {
    Operator.EQUALS: "LOW",
    Operator.IN: ("LOW", "HIGH"),
    Operator.NOT_IN: ("LOW",),
    Operator.IN_SET: NamedSet(frozenset({"LOW"}), "some"),
    Operator.NOT_IN_SET: NamedSet(frozenset({"LOW"}), "some"),
    Operator.GLOB: "L*",
    Operator.EXISTS: True,
}
ON_CATEGORY = tuple(Clause(CATEGORY, word, value, FactType.TEXT, (), HERE) for word, value in _VALUES.items())
GROUPS = (AllOf, AnyOf, NoneOf)


def by_category(condition: Condition) -> Condition:
    """The same condition, asking for the finding's category where it asked for one of the texts."""
    if isinstance(condition, Clause):
        return dataclasses.replace(condition, fact=CATEGORY) if condition.fact == _OF_CATEGORY else condition
    return type(condition)(tuple(map(by_category, condition.parts)))


def facts_of_findings() -> st.SearchStrategy[dict[str, Any]]:
    return fact_maps().map(lambda facts: {CATEGORY if name == _OF_CATEGORY else name: facts[name] for name in facts})


def policy_sets() -> st.SearchStrategy[PolicySet]:
    usual = st.builds(lambda *parts: AllOf(parts), st.sampled_from(ON_CATEGORY), clauses())
    pairs = st.lists(st.tuples(st.sampled_from(Mode), usual | conditions().map(by_category)), max_size=6)
    return pairs.map(lambda some: policy_set([Policy(f"p{at}", "", *one, (), HERE) for at, one in enumerate(some)]))


def policy_set(policies: Sequence[Policy]) -> PolicySet:
    return PolicySet(tuple(policies), Config(), "")


def plainly(condition: Condition, facts: Mapping[str, Any], now_ns: int | None) -> int:
    """Kleene's logic by its definition: and is the least, or the greatest, not is two less."""
    if isinstance(condition, Clause):
        return truth_of(condition, facts, now_ns).value
    values = [plainly(part, facts, now_ns) for part in condition.parts]
    if isinstance(condition, AllOf):
        return min(values, default=Truth.TRUE.value)
    greatest = max(values, default=Truth.FALSE.value)
    return greatest if isinstance(condition, AnyOf) else 2 - greatest


def plain_choice(
    policies: Sequence[Policy], facts: Mapping[str, Any], now_ns: int | None
) -> tuple[list[str], str | None, Mode | None]:
    """The candidates, and the policy and mode that come of them."""
    truths = [Truth(plainly(one.when, facts, now_ns)) for one in policies]
    first = truths.index(Truth.TRUE) if Truth.TRUE in truths else len(policies)
    unknown = [one for one, truth in zip(policies[:first], truths, strict=False) if truth is Truth.UNKNOWN]
    candidates = [*unknown, *policies[first : first + 1]]
    names = [one.id for one in candidates]
    if not unknown:
        return names, *((candidates[0].id, candidates[0].mode) if candidates else (None, None))
    acting = [one.id for one in candidates if one.mode is not Mode.MONITOR]
    return names, *((acting[0], Mode.APPROVE) if acting else (names[0], Mode.MONITOR))


@given(conditions(), fact_maps(), clocks())
def test_a_compiled_condition_is_as_true_as_the_plain_one(
    condition: Condition, facts: dict[str, Any], now_ns: int | None
) -> None:
    plain = Truth(plainly(condition, facts, now_ns))

    assert truth_in(condition, facts, now_ns) is match(condition, facts, now_ns).truth is plain


@given(policy_sets(), facts_of_findings(), clocks())
@example(policy_set([]), {}, None)
def test_the_policies_of_a_category_choose_what_all_policies_would(
    policies: PolicySet, facts: dict[str, Any], now_ns: int | None
) -> None:
    few, every = (choose(some, facts, now_ns) for some in (policies.about(facts), policies.policies))
    left = [one.policy for one in few.trace]

    assert dataclasses.replace(few, trace=()) == dataclasses.replace(every, trace=())
    assert [one for one in every.trace if one.policy in left] == list(few.trace)
    assert all(one.truth is Truth.FALSE for one in every.trace if one.policy not in left)
    assert could_match(policies.about(facts), facts) is could_match(policies.policies, facts)


@given(policy_sets(), facts_of_findings(), clocks())
def test_a_choice_is_the_one_that_the_rules_spell_out(
    policies: PolicySet, facts: dict[str, Any], now_ns: int | None
) -> None:
    chosen = choose(policies.about(facts), facts, now_ns)
    candidates = [one.policy.id for one in chosen.candidates]

    assert plain_choice(policies.policies, facts, now_ns) == (
        candidates,
        chosen.policy.id if chosen.policy else None,
        chosen.mode,
    )


@given(policy_sets(), facts_of_findings(), st.sets(st.sampled_from(SOURCES)).map(frozenset), clocks())
def test_the_policies_of_a_category_wait_for_the_sources_that_all_would_wait_for(
    policies: PolicySet, facts: dict[str, Any], outstanding: frozenset[str], now_ns: int | None
) -> None:
    few, every = (
        outstanding_matters(some, facts, outstanding, now_ns) for some in (policies.about(facts), policies.policies)
    )

    assert few == every


@given(
    policy_sets(),
    facts_of_findings(),
    st.sets(st.sampled_from(SOURCES)).map(frozenset),
    clocks(),
    facts_of_findings(),
)
def test_sources_that_are_not_waited_for_change_nothing_whatever_the_others_say(
    policies: PolicySet,
    facts: dict[str, Any],
    outstanding: frozenset[str],
    now_ns: int | None,
    answers: dict[str, Any],
) -> None:
    known = {name: value for name, value in facts.items() if source_of(name) not in outstanding}
    waited = outstanding_matters(policies.policies, known, outstanding, now_ns)
    partly, fully = (
        choose(policies.policies, known | {name: answers[name] for name in answers if source_of(name) in those}, now_ns)
        for those in (waited, outstanding)
    )

    assert (partly.policy, partly.mode) == (fully.policy, fully.mode)


def test_every_operator_on_the_category_in_every_group_is_left_out_only_where_it_is_false() -> None:
    whens = [*ON_CATEGORY, *(kind((one,)) for kind in GROUPS for one in ON_CATEGORY), *(kind(()) for kind in GROUPS)]
    policies = policy_set([Policy(f"p{at}", "", Mode.ENFORCE, when, (), HERE) for at, when in enumerate(whens)])
    wrongly = [
        (category, one.when)
        for category in (*RANKS, "", "never named", None)
        for facts in ({} if category is None else {CATEGORY: category},)
        for one in policies.policies
        if one not in policies.about(facts) and truth_in(one.when, facts) is not Truth.FALSE
    ]

    assert wrongly == []


def test_of_few_policies_all_are_tried_for_the_record_and_of_many_those_of_the_category() -> None:
    several = [
        Policy(f"p{at}", "", Mode.ENFORCE, AllOf((dataclasses.replace(ON_CATEGORY[0], operand=f"C{at}"),)), (), HERE)
        for at in range(31)
    ]
    few, many = policy_set(several[:30]), policy_set(several)

    assert few.to_try({CATEGORY: "C7"}) == few.policies
    assert many.to_try({CATEGORY: "C7"}) == many.about({CATEGORY: "C7"}) == (several[7],)
    assert many.to_try({}) == many.policies
