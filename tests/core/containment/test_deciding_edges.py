"""Edges of choosing and of what it rests on, found by changing the code and seeing no test fail."""

from __future__ import annotations

import re

import pytest

from firebreak.core.facts import Fact, FactType
from firebreak.core.mode import Cap, Mode, capped
from firebreak.core.policy.clause import Clause, Operator, Span
from firebreak.core.policy.condition import AllOf, AnyOf, Condition, NoneOf, Traced, match, truth_in, waits_for
from firebreak.core.policy.policy import Policy
from firebreak.core.policy.protected import Pattern
from firebreak.core.policy.selection import choose, outstanding_matters
from firebreak.core.ternary import Truth
from firebreak.core.timestamps import parse_instant
from firebreak.policy_language.analysis.representatives import representatives
from firebreak.policy_language.analysis.satisfiability import Never, facts_for, never
from tests.policy_language.policy_strategies import HERE

NOW = parse_instant("2025-01-02T00:00:00Z")
NEW = Clause("x.seen", Operator.NEWER_THAN, Span(86_400, "1d"), FactType.TIME, (), HERE)
CATALOGUE = {"x.seen": Fact(FactType.TIME, "When."), "x.word": Fact(FactType.TEXT, "Which.", ("a", "b"))}


def says(fact: str, *, kind: FactType = FactType.BOOL, value: str | bool = True) -> Clause:
    return Clause(fact, Operator.EQUALS, value, kind, (), HERE)


def policy(name: str, mode: Mode, when: Condition) -> Policy:
    return Policy(name, "", mode, when, (), HERE)


def test_below_a_policy_that_would_only_monitor_for_ever_another_that_only_monitors_is_not_waited_for() -> None:
    """Whatever the source says, the first one's plan is recorded and nothing else happens."""
    watching = (
        policy("settled", Mode.ENFORCE, says("x.no")),
        policy("a", Mode.MONITOR, says("x.never")),
        policy("b", Mode.MONITOR, says("y.b")),
    )

    assert outstanding_matters(watching, {"x.no": False}, frozenset({"y"})) == frozenset()


def test_a_source_that_can_rule_out_what_otherwise_stays_unknown_is_waited_for() -> None:
    """Its answer lets the policy below act alone; without it a person is asked."""
    guarded = policy("a", Mode.MONITOR, AllOf((says("x.never"), says("y.b"))))
    policies = (guarded, policy("b", Mode.ENFORCE, says("z.c")))

    assert outstanding_matters(policies, {"z.c": True}, frozenset({"y"})) == {"y"}


def test_the_record_of_a_choice_says_of_each_policy_how_far_it_would_have_gone() -> None:
    policies = (policy("a", Mode.APPROVE, says("x.a")), policy("b", Mode.ENFORCE, says("x.b")))
    trace = choose(policies, {"x.a": False, "x.b": True}).trace

    assert [(one.policy, one.mode, one.truth) for one in trace] == [
        ("a", Mode.APPROVE, Truth.FALSE),
        ("b", Mode.ENFORCE, Truth.TRUE),
    ]


def test_a_source_beside_an_age_that_settles_its_group_is_not_waited_for() -> None:
    """Ages are known by the clock in every depth."""
    when = AllOf((AnyOf((NEW, says("y.b"))), says("z.c")))
    facts = {"x.seen": "2025-01-01T12:00:00Z"}
    either = frozenset({"y", "z"})

    assert outstanding_matters((policy("a", Mode.ENFORCE, when),), facts, either, NOW) == {"z"}
    assert outstanding_matters((policy("a", Mode.ENFORCE, when),), facts, either) == either


@pytest.mark.parametrize(("kind", "holds"), [(AllOf, Truth.FALSE), (AnyOf, Truth.FALSE), (NoneOf, Truth.TRUE)])
def test_every_group_tells_its_clauses_the_time(kind: type[AllOf | AnyOf | NoneOf], holds: Truth) -> None:
    old = {"x.seen": "2024-01-01T12:00:00Z"}

    assert truth_in(kind((NEW,)), old, NOW) is match(kind((NEW,)), old, NOW).truth is holds
    assert truth_in(kind((NEW,)), old) is Truth.UNKNOWN


def test_an_unknown_condition_waits_for_no_age_that_the_clock_settles() -> None:
    facts = {"x.seen": "2025-01-01T12:00:00Z"}
    when = AllOf((NEW, says("y.b")))

    assert waits_for(when, facts, NOW) == {"y"}
    assert waits_for(when, facts) == {"x", "y"}


def test_the_record_of_a_clause_holds_the_value_that_was_compared() -> None:
    clause = says("x.a", kind=FactType.TEXT, value="one")
    traced = match(clause, {"x.a": "two"}).trace

    assert traced == (Traced("x.a", Operator.EQUALS, "one", "two", Truth.FALSE),)


def test_a_source_beside_an_age_that_is_not_had_is_not_waited_for() -> None:
    when = AllOf((NEW, says("y.b")))
    old = {"x.seen": "2024-01-01T12:00:00Z"}

    assert outstanding_matters((policy("a", Mode.ENFORCE, when),), old, frozenset({"y"}), NOW) == frozenset()


def test_a_source_below_a_policy_whose_age_is_not_had_is_waited_for() -> None:
    policies = (policy("a", Mode.ENFORCE, NEW), policy("b", Mode.ENFORCE, says("y.b")))
    old = {"x.seen": "2024-01-01T12:00:00Z"}

    assert outstanding_matters(policies, old, frozenset({"y"}), NOW) == {"y"}


def test_a_star_in_a_word_that_is_no_glob_is_a_star() -> None:
    assert Pattern("core-*", glob=True).fits("core-web")
    assert not Pattern("core-*").fits("core-web")


def test_a_search_that_ran_out_of_steps_found_nothing_and_is_not_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps it takes: nothing known, then the first value tried."""
    wanted = says("x.word", kind=FactType.TEXT, value="a")

    monkeypatch.setattr("firebreak.policy_language.analysis.satisfiability._MOST_TRIED", 2)
    assert facts_for(wanted, catalogue=CATALOGUE, now_ns=NOW) == {"x.word": "a"}

    monkeypatch.setattr("firebreak.policy_language.analysis.satisfiability._MOST_TRIED", 1)
    assert facts_for(wanted, catalogue=CATALOGUE, now_ns=NOW) == Never(sure=False)


def test_a_search_is_sure_of_nothing_only_with_a_step_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    both = tuple(says("x.word", kind=FactType.TEXT, value=value) for value in "ab")

    def is_sure(steps: int) -> bool:
        monkeypatch.setattr("firebreak.policy_language.analysis.satisfiability._MOST_TRIED", steps)
        return never(*both, catalogue=CATALOGUE, now_ns=NOW)

    taken = 1 + len(representatives("x.word", CATALOGUE["x.word"], both, NOW).values)

    assert [is_sure(steps) for steps in (taken, taken + 1, taken + 2)] == [False, True, True]


def test_an_age_can_be_had_because_the_clock_is_known() -> None:
    assert not never(NEW, catalogue=CATALOGUE, now_ns=NOW)


def test_a_truth_says_how_to_compare_it() -> None:
    with pytest.raises(TypeError, match=f"^{re.escape('a Truth has three values; compare it with `is`')}$"):
        bool(Truth.TRUE)


@pytest.mark.parametrize("mode", Mode)
def test_caps_only_lower_the_mode(mode: Mode) -> None:
    bar, caution = Cap("halt", "bar", "why"), Cap("stale", "caution", "why")

    assert capped(mode, ()) is mode
    assert capped(mode, (caution,)) is min(mode, Mode.APPROVE)
    assert capped(mode, (caution, bar)) is capped(mode, (bar, caution)) is Mode.MONITOR
