"""The rules of lint: each catches what it says it catches, and no code comes to mean anything else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from firebreak.core.diagnostics import Rule
from firebreak.policy_language.lint.lint import lint, lint_tests
from firebreak.policy_language.lint.rules import MISLEADING_ORDER, RULES
from firebreak.policy_language.reading.policies import is_config, read_policies
from firebreak.policy_language.testing.coverage import untried
from firebreak.policy_language.testing.examples import run_examples
from tests.policy_language.test_lint import ACTIONS, WORLD, policy
from tests.policy_language.vocabulary import ACTIONS as PINNED
from tests.policy_language.vocabulary import CATALOGUE, ROOT

BROKEN = sorted((ROOT / "tests" / "policy_language" / "broken_policies").glob("*.yaml"))
# Never changed, only added to: people name these codes in their files, dashboards and waivers.
FROZEN = """
FB101 not-yaml stops
FB102 extras-of-yaml stops
FB103 unfit-file stops
FB104 ambiguous-value stops
FB105 unknown-key stops
FB106 missing-key stops
FB107 key-twice stops
FB108 wrong-type stops
FB109 wrong-value stops
FB110 unknown-fact stops
FB111 unknown-operator stops
FB112 unknown-action stops
FB113 unknown-set stops
FB114 id-taken stops
FB115 said-twice stops
FB116 nothing-there stops
FB117 unreadable-file stops
FB118 broken-plug-in stops
FB201 never-matches warning
FB202 dead-alternative warning
FB203 shadowed-policy warning
FB204 misspelt-category warning
FB205 plain-glob warning
FB206 misleading-order warning
FB207 literal-wildcard warning
FB208 regular-expression warning
FB209 number-out-of-range warning
FB301 steps-undo-each-other fault
FB302 steps-undo-somewhere warning
FB303 idle-step warning
FB304 kind-without-step warning
FB305 repeated-fallback warning
FB306 needless-fallback warning
FB307 waits-for-a-person warning
FB308 nobody-told warning
FB309 unattended-release warning
FB310 idle-on-expiry warning
FB311 idle-accept-irreversible warning
FB312 failing-action fault
FB313 enforce-on-protected warning
FB314 odd-duration warning
FB315 late-release warning
FB401 example-at-odds stops
FB402 failing-example fault
FB403 unrunnable-example fault
FB404 missing-example fault
FB405 untried-clause warning
FB501 name-of-firebreak-yaml stops
FB502 guard-of-nothing stops
FB503 unused-set warning
FB504 unrouted-label warning
FB505 idle-ceiling warning
FB506 odd-limit warning
FB507 odd-time-limit warning
FB601 silence-not-understood warning
FB602 silence-without-reason warning
FB603 silence-of-unknown-code warning
FB604 silence-not-allowed warning
FB605 idle-silence warning
"""
OF_FILES_AND_CODE = {"FB117", "FB118", "FB312"}
"""No text of a policy shows these: the tests of policy folders, of discovery and of failing actions do."""
SHOWN = [one for one in RULES if one.code not in OF_FILES_AND_CODE]
KEYS = re.compile(r"^[a-z_]+:", re.MULTILINE)
FILE = re.compile(r"^# (\S+\.ya?ml)\n", re.MULTILINE)
WHOLE: Mapping[str, str] = {
    "id": "id: x",
    "mode": "mode: enforce",
    "when": "when: {workload.public: true}",
    "then": "then: [{action: cut_traffic}]",
    "notify": "notify: [oncall]",
    "examples": "examples: [{expect: {mode: enforce}}, {given: {workload.public: false}, expect: nothing}]",
}


def files_of(example: str) -> dict[str, str]:
    """The example as files: what a policy needs and the example does not say is added, as nothing is said about it."""
    first, *others = FILE.split(example)
    texts = dict(zip(others[::2], others[1::2], strict=True)) or {"0.yaml": first}
    return {name: text if is_config(name) else whole(text) for name, text in texts.items()} | (
        {} if any(not is_config(name) for name in texts) else {"0.yaml": policy()}
    )


def whole(text: str) -> str:
    keys = {one.removesuffix(":") for one in KEYS.findall(text)}
    return "\n".join([*(line for key, line in WHOLE.items() if key not in keys), text])


def codes(files: Mapping[str, str]) -> set[str]:
    """Everything that is said about these files, by lint and by test."""
    read = read_policies(files, WORLD.catalogue, ACTIONS)
    if read.faults:
        return {one.rule.code for one in read.faults}
    found = lint(read.policies, read.config, files, ACTIONS, WORLD)
    results = run_examples(read.policies, WORLD.catalogue)
    tested = lint_tests(results, untried(read.policies, results), files)
    told = [one.rule for one in (*found.failing, *found.warnings, *tested.wrong)]
    return {one.code for one in (*told, *(remark.rule for remark in tested.told))}


def test_no_code_changes_its_meaning() -> None:
    assert [f"{one.code} {one.name} {one.severity}" for one in RULES] == FROZEN.strip().splitlines()


def test_no_two_rules_share_a_code_or_a_name() -> None:
    assert len({one.code for one in RULES}) == len({one.name for one in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_a_rule_catches_its_example(rule: Rule) -> None:
    found = codes(files_of(rule.example))

    assert rule.code in found


@pytest.mark.parametrize("rule", [one for one in SHOWN if one.severity == "stops"], ids=lambda rule: rule.code)
def test_the_example_of_what_does_not_load_has_that_fault_alone(rule: Rule) -> None:
    assert codes(files_of(rule.example)) == {rule.code}


def test_of_what_the_examples_are_added_to_nothing_is_said() -> None:
    assert codes({"0.yaml": whole("")}) == set()


def ordered(*names: str) -> list[tuple[str, str]]:
    """What is said about the order of files with these names, in a folder of such as have nothing in common."""
    kinds = ("service", "job", "worker_pool", "instance")
    files = {
        f"some/{name}": policy(f"workload.kind: {kind}, finding.category: C{name}", id=name.replace(".", "-"))
        for name, kind in zip(names, kinds, strict=False)
    }
    read = read_policies(files, WORLD.catalogue, ACTIONS)
    assert read.faults == ()
    told = lint(read.policies, read.config, files, ACTIONS, WORLD).warnings
    return [(one.at.file, one.message) for one in told if one.rule is MISLEADING_ORDER]


def test_a_file_that_counts_lower_and_is_tried_later_is_told() -> None:
    said = (
        "`9-x.yaml` is tried after `10-y.yaml`, because names are compared as texts: write 09 for 9 if it should come"
    )

    assert ordered("9-x.yaml", "10-y.yaml") == [("some/9-x.yaml", f"{said} first")]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("05-a.yaml", "10-b.yaml", "20-c.yaml"), []),
        (("p2.yaml", "p10.yaml"), ["some/p2.yaml"]),
        (("a2.yaml", "b10.yaml"), []),
        (("2-a.yaml", "100-b.yaml", "10-c.yaml", "20-d.yaml"), ["some/2-a.yaml", "some/20-d.yaml"]),
        (("a.yaml", "b.yaml"), []),
        (("7.yaml", "07-b.yaml"), []),
    ],
)
def test_only_numbers_in_the_same_place_of_a_name_suggest_an_order(names: tuple[str, ...], told: list[str]) -> None:
    assert [file for file, _ in ordered(*names)] == told


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_what_does_not_load_is_told_under_rules_that_stop_loading(path: Path) -> None:
    name = "firebreak.yaml" if path.stem.startswith("charter") else path.name
    found = read_policies({name: path.read_bytes().decode()}, CATALOGUE, PINNED).faults

    assert {one.rule.severity for one in found} == {"stops"}
    assert {one.rule for one in found} <= set(RULES)


def test_every_rule_of_reading_is_met_in_the_broken_files() -> None:
    """But for those that need a second file, a file that cannot be read, or actions of their own."""
    met = {
        one.rule.code
        for path in BROKEN
        for name in ("firebreak.yaml" if path.stem.startswith("charter") else path.name,)
        for one in read_policies({name: path.read_bytes().decode()}, CATALOGUE, PINNED).faults
    }

    assert {one.code for one in RULES if one.severity == "stops"} - met == {"FB117", "FB118", "FB501"}
