from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.clause import Operator
from core.evidence import Fact
from core.fact_samples import EXAMPLES_NOW, NotFound
from core.matching import AllOf, Condition, match
from core.mode import Mode
from core.policy import Example, Policy
from core.policy_examples import ExampleResult, example_facts, run_examples
from core.policy_text import parse_policies
from core.truth import Truth
from tests.core.policy_strategies import HERE, NAMES, RANKS, SOURCES, clauses
from tests.core.vocabulary import ACTIONS, CATALOGUE, shipped_policies


def policy_file(when: str, examples: str) -> str:
    return f"id: x\nmode: enforce\nwhen: {{{when}}}\nthen: [{{action: cut_traffic}}]\nexamples:\n{examples}"


def run(when: str, *examples: str) -> tuple[ExampleResult, ...]:
    text = policy_file(when, "".join(f"  - {{{example}}}\n" for example in examples))
    return run_examples(parse_policies({"a.yaml": text}, CATALOGUE, ACTIONS).policies, CATALOGUE)


def facts_made_up(when: str, given_facts: str = "") -> dict[str, Any]:
    (result,) = run(when, f"given: {{{given_facts}}}, expect: {{mode: enforce}}")
    assert result.problem is None
    return dict(result.facts)


def test_every_example_of_the_shipped_policies_passes() -> None:
    policies = parse_policies(shipped_policies(), CATALOGUE, ACTIONS).policies

    assert [str(result) for result in run_examples(policies, CATALOGUE) if not result.passed] == []


def test_an_example_says_only_what_it_varies() -> None:
    results = run(
        "finding.category: A, workload.public: true, virustotal.malicious: {at_least: 10}",
        "expect: {mode: enforce, actions: [cut_traffic]}",
        "given: {virustotal: unknown}, expect: {mode: approve}",
        "given: {workload.public: false}, expect: nothing",
        "given: {workload: unknown, virustotal.malicious: 3}, expect: nothing",
    )

    assert all(result.passed for result in results)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("nothing", "example 1 of `x` expects nothing, and enforce with cut_traffic came out"),
        ("{mode: approve}", "example 1 of `x` expects approve, and enforce with cut_traffic came out"),
        (
            "{mode: enforce, actions: [quarantine]}",
            "example 1 of `x` expects enforce with quarantine, and enforce with cut_traffic came out",
        ),
    ],
)
def test_an_example_that_expects_something_else_fails(expect: str, said: str) -> None:
    (result,) = run("workload.public: true", f"expect: {expect}")

    assert not result.passed
    assert str(result) == said


@pytest.mark.parametrize(
    ("when", "facts"),
    [
        ("virustotal.malicious: {at_least: 2, at_most: 9}", {"virustotal.malicious": 2}),
        ("virustotal.malicious: {at_most: 9, not_in: [9]}", {"virustotal.malicious": 8}),
        ("workload.project: {not_in: [another, b]}", {"workload.project": "another-2"}),
        ("finding.severity: {at_least: HIGH}", {"finding.severity": "HIGH"}),
        ("finding.severity: {not_in: [LOW, MEDIUM]}", {"finding.severity": "HIGH"}),
        ("virustotal.label: {exists: false}", {"virustotal.label": ""}),
        ("virustotal.label: {exists: true}", {"virustotal.label": "another"}),
        ("workload.labels: {exists: true}", {"workload.labels": ("some=thing",)}),
        ("virustotal.families: {exists: true}", {"virustotal.families": ("something",)}),
        ("virustotal.first_seen: {newer_than: 24h}", {"virustotal.first_seen": "2025-12-31T00:00:01Z"}),
        (
            "virustotal.first_seen: {newer_than: 30d, older_than: 7d}",
            {"virustotal.first_seen": "2025-12-02T00:00:01Z"},
        ),
        ("finding.partial_hash: {exists: true}", {"finding.partial_hash": True}),
        ("virustotal.malicious: {exists: true}", {"virustotal.malicious": 1}),
        ("virustotal.first_seen: {exists: true}", {"virustotal.first_seen": "2025-01-01T00:00:00Z"}),
        (
            'virustotal.first_seen: {at_least: "2025-02-01T00:00:00Z"}',
            {"virustotal.first_seen": "2025-02-01T00:00:00Z"},
        ),
        ("none_of: [{workload.public: true}]", {"workload.public": False}),
        ("none_of: [{workload.labels: {contains: a=b}}]", {"workload.labels": ("some=thing",)}),
        ("none_of: [{workload.project: {glob: a*}}]", {"workload.project": ""}),
        ("none_of: [{none_of: [{workload.public: true}]}]", {"workload.public": True}),
        (
            "workload.public: true, none_of: [{workload.public: true, workload.kind: job}]",
            {"workload.public": True, "workload.kind": "service"},
        ),
        (
            "any_of: [{virustotal.malicious: {at_least: 5}}, {virustotal.verdict: suspicious}]",
            {"virustotal.malicious": 5, "virustotal.verdict": "suspicious"},
        ),
        (
            "any_of: [{virustotal.malicious: {at_least: 5}}, {virustotal.malicious: {at_most: 1}}]",
            {"virustotal.malicious": 5},
        ),
    ],
)
def test_a_fact_left_out_takes_a_value_that_satisfies_the_clause_naming_it(when: str, facts: dict[str, Any]) -> None:
    assert facts_made_up(when) == facts


@pytest.mark.parametrize(
    "when",
    [
        "workload.project: {glob: core-*}",
        "workload.labels: {contains: tier=critical}",
        "workload.labels: {contains_any: [a=b, c=d]}",
        "any_of: [{workload.project: {glob: core-*}}, {workload.public: true}]",
        "virustotal.malicious: {at_least: 9, at_most: 2}",
        "virustotal.malicious: 1, none_of: [{virustotal.malicious: 1}]",
    ],
)
def test_what_cannot_be_made_up_must_be_given(when: str) -> None:
    (result,) = run(when, "expect: {mode: enforce}")

    assert not result.passed
    assert result.problem is not None
    assert result.problem.startswith("give `")


def test_glob_and_contains_facts_work_once_they_are_given() -> None:
    when = "workload.project: {glob: core-*}, workload.labels: {contains: a=b}"

    assert facts_made_up(when, "workload.project: core-x, workload.labels: [a=b]") == {
        "workload.project": "core-x",
        "workload.labels": ("a=b",),
    }
    assert all(result.passed for result in run(when, "given: {workload: unknown}, expect: {mode: approve}"))


def test_an_example_gives_a_time_by_its_age() -> None:
    results = run(
        "virustotal.first_seen: {newer_than: 24h}",
        "given: {virustotal.first_seen: 2h ago}, expect: {mode: enforce}",
        "given: {virustotal.first_seen: 25h ago}, expect: nothing",
        'given: {virustotal.first_seen: "2025-12-31T12:00:00Z"}, expect: {mode: enforce}',
        "given: {virustotal: unknown}, expect: {mode: approve}",
    )

    assert all(result.passed for result in results)


_WORLD = {
    f"{source}.{word}": Fact(kind, "", RANKS if word == "text" else (), ordered=word == "text")
    for source in SOURCES
    for kind, word in NAMES.items()
}
_MADE_UP = clauses().filter(lambda one: one.operator not in (Operator.GLOB, Operator.CONTAINS, Operator.CONTAINS_ANY))


@given(st.lists(_MADE_UP, min_size=1, max_size=4, unique_by=lambda one: one.fact).map(tuple))
def test_an_example_that_gives_nothing_satisfies_every_clause_or_says_what_to_give(
    parts: tuple[Condition, ...],
) -> None:
    when = AllOf(parts)
    policy = Policy("x", "", Mode.ENFORCE, when, (), HERE)
    try:
        facts = example_facts(policy, Example({}, frozenset(), None, HERE), _WORLD)
    except NotFound:
        assume(False)  # noqa: FBT003

    assert match(when, facts, EXAMPLES_NOW).truth is Truth.TRUE
