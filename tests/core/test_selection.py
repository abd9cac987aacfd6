from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.facts import FactType, source_of
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import Clause, Operator
from firebreak.core.policy.condition import AllOf, AnyOf, NoneOf
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config, Policy
from firebreak.core.policy.selection import Choice, choose, choose_in_shadow, could_match, outstanding_matters
from firebreak.core.ternary import Truth
from tests.policy_language.policy_strategies import HERE, SOURCES, clocks, fact_maps, facts_and_fewer, policy_lists


def says(fact: str) -> Clause:
    return Clause(fact, Operator.EQUALS, True, FactType.BOOL, (), HERE)  # noqa: FBT003 - it is the value compared with


def policy(name: str, mode: Mode, *facts: str) -> Policy:
    return Policy(name, "", mode, AllOf(tuple(says(fact) for fact in facts)), (), HERE)


def outcome(choice: Choice) -> tuple[str | None, Mode | None]:
    return (choice.policy.id if choice.policy else None), choice.mode


def test_the_first_true_policy_decides_in_its_own_mode() -> None:
    policies = (policy("a", Mode.MONITOR, "x.a"), policy("b", Mode.ENFORCE, "x.b"), policy("c", Mode.APPROVE, "x.b"))

    assert outcome(choose(policies, {"x.a": False, "x.b": True})) == ("b", Mode.ENFORCE)


def test_an_unknown_policy_above_the_true_one_makes_firebreak_ask() -> None:
    policies = (policy("a", Mode.ENFORCE, "x.a"), policy("b", Mode.ENFORCE, "y.b"))
    choice = choose(policies, {"y.b": True})

    assert outcome(choice) == ("a", Mode.APPROVE)
    assert [(one.policy.id, one.waits_for) for one in choice.candidates] == [("a", {"x"}), ("b", frozenset())]
    assert choice.reasons == (
        "policy a (enforce) may match: x is unknown",
        "policy b (enforce) matches",
        "so the mode is approve, with the plan of a",
    )


HIDDEN = replace(policy("hidden", Mode.ENFORCE, "x.h"), shadow=True)


def in_shadow(*others: Policy, above: int = 0, **facts: bool) -> tuple[Truth, tuple[str | None, Mode | None] | None]:
    """What a policy in shadow comes to, with so many of the others above it."""
    policies = policy_set((*others[:above], HIDDEN, *others[above:]), Config())
    truth, choice = choose_in_shadow(HIDDEN, policies, {f"x.{name}": value for name, value in facts.items()})
    return truth, None if choice is None else outcome(choice)


def test_a_policy_in_shadow_comes_to_what_the_set_would_with_it_in_its_place() -> None:
    other = policy("other", Mode.MONITOR, "x.a")
    another = replace(policy("another", Mode.ENFORCE, "x.a"), shadow=True)

    assert in_shadow(other, h=True, a=True) == (Truth.TRUE, ("hidden", Mode.ENFORCE))
    assert in_shadow(other, a=True) == (Truth.UNKNOWN, ("hidden", Mode.APPROVE))
    assert in_shadow(other, h=False, a=True) == (Truth.FALSE, None)
    assert in_shadow(other, above=1, h=True, a=True) == (Truth.TRUE, ("other", Mode.MONITOR))
    assert in_shadow(another, above=1, h=True, a=True) == (Truth.TRUE, ("hidden", Mode.ENFORCE))


def test_of_a_set_those_in_shadow_decide_nothing() -> None:
    policies = policy_set((HIDDEN, policy("other", Mode.MONITOR, "x.a")), Config())

    assert [one.id for one in policies.to_try({})] == [one.id for one in policies.about({})] == ["other"]
    assert [one.id for one in policies.in_shadow({})] == ["hidden"]
    assert (policies.shadowed, policy_set((), Config()).shadowed) == (True, False)


def test_the_plan_is_that_of_the_first_candidate_above_monitor() -> None:
    policies = (policy("a", Mode.MONITOR, "x.a"), policy("b", Mode.APPROVE, "y.b"), policy("c", Mode.ENFORCE, "y.b"))

    assert outcome(choose(policies, {"y.b": True})) == ("b", Mode.APPROVE)


def test_candidates_that_all_monitor_make_monitor() -> None:
    policies = (policy("a", Mode.MONITOR, "x.a"), policy("b", Mode.MONITOR, "y.b"), policy("c", Mode.ENFORCE, "y.b"))

    assert outcome(choose(policies, {"y.b": True})) == ("a", Mode.MONITOR)


def test_without_any_true_policy_an_unknown_one_still_asks() -> None:
    policies = (policy("a", Mode.MONITOR, "x.a"), policy("b", Mode.ENFORCE, "x.b"))

    assert outcome(choose(policies, {"x.a": False})) == ("b", Mode.APPROVE)


def test_nothing_matches_when_every_policy_is_false() -> None:
    choice = choose((policy("a", Mode.ENFORCE, "x.a"),), {"x.a": False})

    assert outcome(choice) == (None, None)
    assert choice.reasons == ("no policy matches",)
    assert [one.truth for one in choice.trace] == [Truth.FALSE]


def test_a_clause_that_is_false_settles_a_policy_whose_other_facts_are_unknown() -> None:
    policies = (policy("a", Mode.ENFORCE, "x.a", "y.b"), policy("b", Mode.ENFORCE, "z.c"))

    assert outcome(choose(policies, {"x.a": False, "z.c": True})) == ("b", Mode.ENFORCE)


def test_a_policy_could_match_while_only_other_sources_facts_are_missing() -> None:
    policies = (policy("a", Mode.ENFORCE, "finding.a", "x.b"),)

    assert could_match(policies, {"finding.a": True})
    assert not could_match(policies, {"finding.a": False})
    assert not could_match((), {})


def test_a_source_no_reachable_policy_names_does_not_matter() -> None:
    policies = (policy("a", Mode.ENFORCE, "x.a"), policy("b", Mode.ENFORCE, "y.b"))

    assert outstanding_matters(policies, {"x.a": True}, frozenset({"y", "z"})) == frozenset()


def test_a_source_behind_a_clause_that_is_already_false_does_not_matter() -> None:
    policies = (policy("a", Mode.ENFORCE, "x.a", "y.b"), policy("b", Mode.MONITOR, "x.c"))

    assert outstanding_matters(policies, {"x.a": False, "x.c": True}, frozenset({"y"})) == frozenset()
    assert outstanding_matters(policies, {"x.a": True, "x.c": True}, frozenset({"y"})) == {"y"}


def test_nothing_below_a_question_that_must_be_asked_matters() -> None:
    policies = (policy("a", Mode.ENFORCE, "x.a"), policy("b", Mode.ENFORCE, "y.b"))

    assert outstanding_matters(policies, {}, frozenset({"y"})) == frozenset()


def test_a_source_that_only_adds_another_way_to_be_true_does_not_matter() -> None:
    either = Policy("a", "", Mode.ENFORCE, AnyOf((says("x.a"), says("y.b"))), (), HERE)

    assert outstanding_matters((either,), {"x.a": True}, frozenset({"y"})) == frozenset()


def test_a_source_that_could_turn_a_question_into_an_action_matters() -> None:
    either = Policy("a", "", Mode.ENFORCE, AnyOf((says("x.never"), says("y.b"))), (), HERE)

    assert outstanding_matters((either,), {}, frozenset({"y"})) == {"y"}


def test_a_source_that_could_hide_a_policy_below_an_unknown_one_matters() -> None:
    either = Policy("a", "", Mode.MONITOR, AnyOf((says("x.never"), says("y.b"))), (), HERE)
    policies = (either, policy("b", Mode.ENFORCE, "z.c"))

    assert outstanding_matters(policies, {"z.c": True}, frozenset({"y"})) == {"y"}


def test_a_source_that_could_only_exclude_matters() -> None:
    neither = Policy("a", "", Mode.APPROVE, NoneOf((says("x.never"), says("y.b"))), (), HERE)

    assert outstanding_matters((neither,), {}, frozenset({"y"})) == {"y"}


@given(policy_lists(), facts_and_fewer(), clocks())
def test_less_evidence_moves_the_mode_only_towards_a_question(
    policies: tuple[Policy, ...], both: tuple[dict[str, Any], dict[str, Any]], now_ns: int | None
) -> None:
    facts, fewer = both
    full, less = (choose(policies, known, now_ns).mode or Mode.MONITOR for known in (facts, fewer))

    assert min(Mode.APPROVE, full) <= less <= max(Mode.APPROVE, full)


@given(policy_lists(), facts_and_fewer(), clocks())
def test_acting_alone_on_less_evidence_is_by_the_policy_that_all_of_it_would_choose(
    policies: tuple[Policy, ...], both: tuple[dict[str, Any], dict[str, Any]], now_ns: int | None
) -> None:
    facts, fewer = both
    less = choose(policies, fewer, now_ns)
    if less.mode is Mode.ENFORCE:
        full = choose(policies, facts, now_ns)

        assert (full.policy, full.mode) == (less.policy, Mode.ENFORCE)


@given(policy_lists(), fact_maps(), st.sets(st.sampled_from(SOURCES)).map(frozenset), clocks(), st.data())
def test_once_no_outstanding_source_matters_no_answer_changes_the_choice(
    policies: tuple[Policy, ...],
    facts: dict[str, Any],
    outstanding: frozenset[str],
    now_ns: int | None,
    data: st.DataObject,
) -> None:
    answered = {name: value for name, value in facts.items() if source_of(name) not in outstanding}
    matters = outstanding_matters(policies, answered, outstanding, now_ns)
    answers = data.draw(fact_maps())
    completed = answered | {name: value for name, value in answers.items() if source_of(name) in outstanding}
    now, then = (choose(policies, known, now_ns) for known in (answered, completed))

    assert matters <= outstanding
    assert matters or (now.policy, now.mode) == (then.policy, then.mode)


@given(policy_lists(), fact_maps())
def test_a_candidate_waits_for_something_unless_it_is_the_first_true_policy(
    policies: tuple[Policy, ...], facts: dict[str, Any]
) -> None:
    choice = choose(policies, facts)

    assert all(one.waits_for for one in choice.candidates[:-1])
    assert choice.policy is None or choice.policy in [one.policy for one in choice.candidates]
