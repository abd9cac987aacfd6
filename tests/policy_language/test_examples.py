from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import enrichment
import responders
from firebreak.core.facts import Fact
from firebreak.core.mode import Mode
from firebreak.core.policy.clause import Operator
from firebreak.core.policy.condition import AllOf, Condition, match
from firebreak.core.policy.policy import Example, Policy
from firebreak.core.ternary import Truth
from firebreak.policy_language.reading.policies import parse_policies
from firebreak.policy_language.reading.sample_facts import EXAMPLES_NOW, NotFound
from firebreak.policy_language.testing.coverage import untried
from firebreak.policy_language.testing.examples import (
    ExampleResult,
    Findings,
    example_facts,
    finding_path,
    run_examples,
)
from tests.policy_language.policy_strategies import HERE, NAMES, RANKS, SOURCES, clauses
from tests.policy_language.vocabulary import ACTIONS, CATALOGUE, shipped_findings, shipped_policies


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
    catalogue = enrichment.catalogue()
    policies = parse_policies(shipped_policies(), catalogue, responders.discover()).policies

    assert [str(one) for one in run_examples(policies, catalogue, shipped_findings()) if not one.passed] == []


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


WHOLE = "finding.category: A, finding.severity: {at_least: HIGH}, workload.kind: service, virustotal.malicious: 5"
SETTLED: Findings = {
    "findings/a.json": {"finding.category": "A", "workload.kind": "service"},
    "bad.json": "this is not JSON text",
}


@pytest.mark.parametrize(
    ("example", "came_out"),
    [
        # The finding has no severity, and none is made up for it.
        ("finding: findings/a.json", "approve"),
        ("finding: findings/a.json, given: {finding.severity: HIGH}", "enforce"),
        ("finding: findings/a.json, given: {finding.category: B}", "nothing"),
        ("finding: findings/a.json, given: {finding.severity: HIGH, workload: unknown}", "approve"),
    ],
)
def test_a_whole_finding_settles_what_is_not_given(example: str, came_out: str) -> None:
    text = policy_file(WHOLE, f"  - {{{example}, expect: nothing}}\n")
    policies = parse_policies({"a.yaml": text}, CATALOGUE, ACTIONS).policies
    (result,) = run_examples(policies, CATALOGUE, SETTLED)

    assert result.problem is None
    assert (result.actual.mode.word if result.actual else "nothing") == came_out


def test_every_fact_of_an_example_says_where_it_comes_from() -> None:
    text = policy_file(WHOLE, "  - {finding: findings/a.json, given: {finding.severity: HIGH}, expect: nothing}\n")
    (result,) = run_examples(parse_policies({"a.yaml": text}, CATALOGUE, ACTIONS).policies, CATALOGUE, SETTLED)

    assert result.origins == {
        "finding.severity": "given",
        "finding.category": "the finding",
        "workload.kind": "the finding",
        "virustotal.malicious": "made up",
    }


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("bad.json", "the finding `bad.json`: this is not JSON text"),
        ("c.json", "the finding `c.json`: it was not read"),
    ],
)
def test_a_finding_that_cannot_be_read_fails_its_example(path: str, said: str) -> None:
    text = policy_file(WHOLE, f"  - {{finding: {path}, expect: nothing}}\n")
    (result,) = run_examples(parse_policies({"a.yaml": text}, CATALOGUE, ACTIONS).policies, CATALOGUE, SETTLED)

    assert (result.passed, result.problem) == (False, said)


def test_a_finding_lies_beside_the_file_of_its_policy() -> None:
    text = policy_file(WHOLE, "  - {finding: ../b/c.json, expect: nothing}\n")
    (policy,) = parse_policies({"some/where/a.yaml": text}, CATALOGUE, ACTIONS).policies

    assert finding_path(policy.examples[0]) == "some/where/../b/c.json"


@pytest.mark.parametrize(
    ("examples", "left"),
    [
        (["expect: {mode: enforce}"], [("virustotal.malicious", ["FALSE"]), ("workload.public", ["FALSE"])]),
        (["given: {virustotal: unknown}, expect: nothing"], [("virustotal.malicious", ["TRUE", "FALSE"])]),
        (["expect: {mode: enforce}", "given: {virustotal.malicious: 1, workload.public: false}, expect: nothing"], []),
    ],
)
def test_clauses_that_no_example_makes_true_or_none_makes_false_are_named(
    examples: list[str], left: list[tuple[str, list[str]]]
) -> None:
    text = policy_file(
        "virustotal.malicious: {at_least: 5}, workload.public: true", "".join(f"  - {{{one}}}\n" for one in examples)
    )
    policies = parse_policies({"a.yaml": text}, CATALOGUE, ACTIONS).policies
    gaps = list(untried(policies, run_examples(policies, CATALOGUE)))

    assert [(gap.clause.fact, [truth.name for truth in gap.never]) for gap in gaps][: len(left)] == left
    assert left or not gaps


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
        made_up = example_facts(policy, Example({}, frozenset(), None, HERE), _WORLD)
    except NotFound:
        assume(False)  # noqa: FBT003

    facts = {name: value for name, (value, _) in made_up.items()}
    assert match(when, facts, EXAMPLES_NOW).truth is Truth.TRUE
