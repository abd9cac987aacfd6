"""The benchmark compares like with like."""

from __future__ import annotations

from benchmarks.matching_workload import cases, rules
from benchmarks.policy_matching import by_firebreak, by_plain_python, by_trying_all, loaded
from firebreak.core.policy.selection import choose
from sandbox.scc.notifications import notification_v2

SOME, RULES = cases(300), rules(40)


def test_all_ways_give_the_same_answers_and_not_always_the_same() -> None:
    plain = by_plain_python(RULES, SOME)

    assert by_firebreak(loaded(RULES), SOME) == by_trying_all(loaded(RULES), SOME) == plain
    assert 20 < sum(bool(answer) for answer in plain) < 280


def test_findings_are_about_as_large_as_scc_s() -> None:
    sizes = [len(notification_v2(case.pair)) for case in SOME]

    assert min(sizes) > 2_500
    assert max(sizes) < 4_000


def test_leaving_out_other_categories_changes_no_choice() -> None:
    policies = loaded(RULES)
    both = [(choose(policies.about(case.facts), case.facts), choose(policies.policies, case.facts)) for case in SOME]

    assert all((few.policy, few.mode, few.reasons) == (every.policy, every.mode, every.reasons) for few, every in both)
