"""What loads, and was meant otherwise: regular expressions as globs, and acting alone where a person is asked."""

from __future__ import annotations

import pytest

from firebreak.core.policy.policy import Policy
from firebreak.policy_language.lint.conditions import plain_globs
from firebreak.policy_language.lint.protected import enforced_on_protected
from firebreak.policy_language.reading.policies import read_policies
from tests.policy_language.test_lint import ACTIONS, WORLD, policy


def with_glob(pattern: str) -> Policy:
    (read,) = read_policies(
        {"a.yaml": policy(f"workload.project: {{glob: '{pattern}'}}")}, WORLD.catalogue, ACTIONS
    ).policies
    return read


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("^core-.*$", "core-*"),
        ("core-.*", "core-*"),
        (".+-prod", "?*-prod"),
        (r"core\.eu", "core.eu"),
        ("/core-.*/", "core-*"),
        ("core-(a|b)", None),
        (r"core-\d", None),
        ("core-[0-9]+", None),
    ],
)
def test_a_regular_expression_in_a_glob_is_warned_of_with_the_glob_that_was_meant(
    pattern: str, meant: str | None
) -> None:
    told = list(plain_globs(with_glob(pattern), WORLD))

    assert [(one.rule.code, one.nearest) for one in told] == [("FB208", meant)]


@pytest.mark.parametrize("pattern", ["trojan.*", "core-*", "?ore", "*.shop.example", "a.b-*", "core-$*"])
def test_a_glob_with_dots_and_signs_in_it_is_no_regular_expression(pattern: str) -> None:
    assert list(plain_globs(with_glob(pattern), WORLD)) == []


@pytest.mark.parametrize(
    ("protected", "when", "warned_of"),
    [
        ("{project: pay}", "workload.project: pay", True),
        ("{project: {glob: 'pay-*'}}", "workload.project: {in: [pay-eu, pay-us]}", True),
        ("{project: pay}, {project: shop}", "workload.project: {in: [pay, shop]}", True),
        ("{project: pay, service: till}", "workload.project: pay, workload.name: till", True),
        ("{label: {tier: critical}}", "workload.labels: {contains: {tier: critical}}", True),
        ("{project: pay}", "workload.project: {in: [pay, shop]}", False),
        ("{project: pay, service: till}", "workload.project: pay", False),
        ("{label: {tier: critical}}", "workload.labels: {contains: {tier: low}}", False),
        ("{folder: '7'}", "workload.project: pay", False),
        ("{project: pay, folder: '7'}", "workload.project: pay", False),
    ],
)
@pytest.mark.parametrize("mode", ["enforce", "approve"])
def test_a_policy_that_would_act_alone_on_nothing_but_protected_places_is_warned_of(
    protected: str, when: str, mode: str, *, warned_of: bool
) -> None:
    config = f'organization: "1"\nprotected: [{protected}]\n'
    files = {"a.yaml": policy(when, mode=mode), "firebreak.yaml": config}
    read = read_policies(files, WORLD.catalogue, ACTIONS)
    told = list(enforced_on_protected(read.policies, read.config.protected, WORLD))

    assert read.faults == ()
    assert [one.rule.code for one in told] == (["FB313"] if warned_of and mode == "enforce" else [])
