from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.facts import Fact
from firebreak.core.glob import glob_matches
from firebreak.core.policy.condition import AllOf, Condition, truth_in
from firebreak.core.ternary import Truth
from firebreak.core.timestamps import parse_instant
from firebreak.policy_language.analysis.glob_samples import glob_samples
from firebreak.policy_language.analysis.satisfiability import Never, facts_for
from firebreak.policy_language.reading.policies import parse_policies
from tests.policy_language.policy_strategies import NAMES, RANKS, SOURCES, conditions, fact_maps
from tests.policy_language.vocabulary import ACTIONS, CATALOGUE

NOW = parse_instant("2025-03-01T00:00:00Z")
WORLD = {
    f"{source}.{word}": Fact(kind, "", RANKS if word == "text" else (), ordered=word == "text")
    for source in SOURCES
    for kind, word in NAMES.items()
}


@given(conditions(), fact_maps())
def test_what_can_never_be_true_is_true_of_no_facts(condition: Condition, facts: dict[str, Any]) -> None:
    found = facts_for(condition, catalogue=WORLD, now_ns=NOW)

    if isinstance(found, Never):
        assert not (found.sure and truth_in(condition, facts, NOW) is Truth.TRUE)
    else:
        assert truth_in(condition, found, NOW) is Truth.TRUE


@given(st.lists(st.text("ab*?", max_size=4), min_size=1, max_size=3), st.frozensets(st.text("abx", max_size=2)))
def test_a_text_is_found_for_each_way_in_which_globs_fit_together(patterns: list[str], besides: frozenset[str]) -> None:
    def fits(text: str) -> tuple[bool, ...]:
        return tuple(glob_matches(pattern, text) for pattern in patterns)

    samples = glob_samples(patterns, besides)
    short = ("".join(letters) for length in range(5) for letters in itertools.product("abx", repeat=length))

    assert besides.isdisjoint(samples.texts)
    if samples.complete:
        assert {fits(text) for text in short if text not in besides} <= {fits(text) for text in samples.texts}


def test_globs_that_would_take_too_long_to_follow_claim_nothing() -> None:
    samples = glob_samples(["*a" + "?" * 100 + "*b", "*b" + "?" * 90 + "*a"], frozenset())

    assert not samples.complete


def when(text: str) -> AllOf:
    """The condition of a policy whose `when` is written so."""
    policy = (
        f"id: x\nmode: enforce\nwhen: {{{text}}}\nthen: [{{action: cut_traffic}}]\nexamples: [{{expect: nothing}}]\n"
    )
    condition = parse_policies({"a.yaml": policy}, CATALOGUE, ACTIONS).policies[0].when
    assert isinstance(condition, AllOf)
    return condition


@pytest.mark.parametrize(
    "text",
    [
        "virustotal.malicious: {at_least: 10, at_most: 9}",
        "virustotal.malicious: {in: [1, 2], at_least: 3}",
        "virustotal.malicious: 1, none_of: [{virustotal.malicious: {at_most: 5}}]",
        "workload.project: {in: [a, b], not_in: [b, a]}",
        'workload.project: {glob: "core-*", in: [pay-a]}',
        'workload.project: {glob: "core-*"}, none_of: [{workload.project: {glob: "c*-*"}}]',
        'workload.project: {glob: "????", in: [abc]}',
        "virustotal.verdict: {not_in: [malicious, suspicious, undetected], exists: true}",
        "finding.severity: {at_least: HIGH, at_most: MEDIUM}",
        "virustotal.first_seen: {newer_than: 1h, older_than: 2h}",
        'virustotal.first_seen: {newer_than: 30d, at_most: "2024-01-01T00:00:00Z"}',
        "workload.labels: {contains: a=b}, none_of: [{workload.labels: {contains_any: [a=b, c=d]}}]",
        'workload.labels: {contains_all: [a=b, c=d]}, none_of: [{workload.labels: {glob: "c=*"}}]',
        "workload.labels: {exists: false, contains: a=b}",
        "any_of: [{workload.public: true}, {workload.kind: job}], workload.public: false, workload.kind: service",
    ],
)
def test_conditions_that_contradict_themselves_are_found_out(text: str) -> None:
    assert facts_for(when(text), catalogue=CATALOGUE, now_ns=NOW) == Never(sure=True)


@pytest.mark.parametrize(
    "text",
    [
        "virustotal.malicious: {at_least: 9, at_most: 10, not_in: [9, 10]}",
        'workload.project: {glob: "core-*"}, none_of: [{workload.project: {glob: "core-?"}}]',
        "workload.labels: {contains: a=b}, none_of: [{workload.labels: {contains: c=d}}]",
        "workload.labels: {contains_all: [a=b, c=d]}, none_of: [{workload.labels: {contains_all: [a=b, e=f]}}]",
        "virustotal.first_seen: {newer_than: 2h, older_than: 1h}",
        "virustotal.label: {exists: false}",
        "none_of: [{none_of: [{workload.public: true}]}]",
    ],
)
def test_conditions_that_only_look_so_are_not(text: str) -> None:
    found = facts_for(when(text), catalogue=CATALOGUE, now_ns=NOW)

    assert not isinstance(found, Never)
