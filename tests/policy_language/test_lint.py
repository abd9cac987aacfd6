from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, cast

import pytest

import enrichment
import responders
from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.cloud_run.setting_names import INGRESS, LATEST, POOL_INSTANCES, SURFACES, TAG
from firebreak.core.cloud_run.state import State, surface_of
from firebreak.core.cloud_run.target import Kind
from firebreak.core.cloud_run.workload import split_key, split_of, tags_of
from firebreak.core.diagnostics import Fault
from firebreak.core.policy.policy import Step
from firebreak.core.timestamps import parse_instant
from firebreak.policy_language.analysis.sample_workloads import SAMPLES
from firebreak.policy_language.analysis.step_conflicts import undoings
from firebreak.policy_language.lint.conditions import LintContext
from firebreak.policy_language.lint.lint import Lint, lint
from firebreak.policy_language.reading.policies import read_policies
from tests.policy_language.vocabulary import shipped_findings, shipped_policies

WORLD = LintContext(enrichment.catalogue(), parse_instant("2026-01-01T00:00:00Z"))
MALWARE = "Execution: Added Malicious Binary Executed"


@dataclass(frozen=True)
class Door:
    """An action that sets the door of a service one way."""

    name: str
    door: str
    kinds: frozenset[str] = frozenset({"service"})
    surfaces: frozenset[str] = frozenset({"service"})
    reversible: bool = True
    reach: str = "workload"
    params: type = NoParams

    def edit(self, before: State, case: Any, params: object) -> State | Refusal:  # noqa: ARG002
        return {**before, INGRESS: self.door}


class OpenTagged(Door):
    """One that opens only what has a tag."""

    def edit(self, before: State, case: Any, params: object) -> State | Refusal:
        return super().edit(before, case, params) if any(key.startswith(TAG) for key in before) else before


@dataclass(frozen=True)
class Setter:
    """An action that sets one setting of one kind to 1."""

    name: str
    kind: str
    key: str
    reversible: bool = True
    reach: str = "workload"
    params: type = NoParams

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({self.kind})

    @property
    def surfaces(self) -> frozenset[str]:
        return frozenset({surface_of(self.key)})

    def edit(self, before: State, case: Any, params: object) -> State | Refusal:  # noqa: ARG002
        return {**before, self.key: 1}


ACTIONS = {
    **responders.discover(),
    "open_door": cast("Responder", Door("open_door", "all")),
    "shut_door": cast("Responder", Door("shut_door", "internal")),
    "stop_job": cast("Responder", Door("stop_job", "none", kinds=frozenset({"job"}))),
    "shut_all": cast("Responder", Door("shut_all", "internal", kinds=frozenset({"service", "job"}))),
    "open_tagged": cast("Responder", OpenTagged("open_tagged", "all")),
    "let_run": cast("Responder", Setter("let_run", "job", "job_iam.roles/run.invoker||allUsers")),
    "start_pool": cast("Responder", Setter("start_pool", "worker_pool", POOL_INSTANCES)),
}


def policy(
    when: str = "workload.public: true", then: str = "{action: cut_traffic}", more: str = "", **keys: str
) -> str:
    """A policy to which nothing can be said, but for what a test changes."""
    return f"""\
id: {keys.get("id", "x")}
mode: {keys.get("mode", "enforce")}
when: {{{when}}}
then: [{then}]
notify: {keys.get("notify", "[oncall]")}
{more}
examples:
  - {{given: {{{keys.get("given", "")}}}, expect: {{mode: {keys.get("mode", "enforce")}}}}}
  - {{given: {{{keys.get("no", "workload.public: false")}}}, expect: nothing}}
"""


def linted(*texts: str, config: str = "") -> Lint:
    files = {f"{number}.yaml": text for number, text in enumerate(texts)}
    if config:
        files["firebreak.yaml"] = f'organization: "1"\n{config}\n'
    read = read_policies(files, WORLD.catalogue, ACTIONS)
    assert read.faults == ()
    return lint(read.policies, read.config, files, ACTIONS, WORLD)


def places(faults: tuple[Fault, ...]) -> list[tuple[int, int, str]]:
    return [(one.at.line, one.at.column, one.message) for one in faults]


def warned(*texts: str, config: str = "") -> list[tuple[int, int, str]]:
    return places(linted(*texts, config=config).warnings)


def test_the_shipped_policies_leave_nothing_to_be_said() -> None:
    files = shipped_policies()
    read = read_policies(files, WORLD.catalogue, ACTIONS)

    assert lint(read.policies, read.config, files, ACTIONS, WORLD, shipped_findings()) == Lint((), ())


def test_a_policy_without_fault_leaves_nothing_to_be_said() -> None:
    assert linted(policy()) == Lint((), ())


def test_an_example_that_fails_and_one_that_is_missing_are_told_in_their_places() -> None:
    kept = policy().partition("examples:")[0]
    found = linted(f"{kept}examples:\n  - expect: {{mode: approve}}\n")

    assert places(found.failing) == [
        (1, 5, "the policy `x` has no example that expects nothing"),
        (8, 5, "example 1 of `x` expects approve, and enforce with cut_traffic came out"),
    ]
    assert str(found.failing[1]).endswith("      - expect: {mode: approve}\n        ^")
    assert found.warnings == ()


def test_a_policy_whose_examples_all_expect_nothing_lacks_a_yes() -> None:
    text = (
        policy()
        .replace("expect: {mode: enforce}", "expect: nothing")
        .replace("given: {}", "given: {workload.public: false}")
    )

    assert [one.message for one in linted(text).failing] == ["the policy `x` has no example that expects a mode"]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            "virustotal.malicious: {at_least: 10, at_most: 9}",
            "`virustotal.malicious at_least 10` and `virustotal.malicious at_most 9` never hold together",
        ),
        (
            "workload.public: true, workload.project: {in: [a, b]}, none_of: [{workload.project: {glob: '?'}}]",
            "never match: `workload.project in [a, b]` and `none_of` of `workload.project glob ?` never hold together",
        ),
        (
            "workload.kind: job, any_of: [{workload.kind: service}, {workload.public: true}]",
            "this alternative can never hold: `workload.kind: job` and `workload.kind: service` never hold together",
        ),
        (
            "any_of: [{virustotal.score: {at_least: 9, at_most: 8}}, {workload.public: true}]",
            "this alternative can never hold",
        ),
    ],
)
def test_what_can_never_match_is_named_with_what_excludes_it(when: str, said: str) -> None:
    found = [message for _, _, message in warned(policy(when, "{action: cut_traffic}, {action: stop_job}"))]

    assert any(said in message for message in found)


def test_a_policy_that_another_one_above_always_anticipates_is_told() -> None:
    above = policy("workload.public: true", id="above")
    below = policy("workload.public: true, virustotal.malicious: {at_least: 10}", id="below", given="", mode="monitor")

    assert warned(above, below) == [
        (1, 5, "`below` never decides: whenever it matches, `above` (enforce, 0.yaml:1) above it matches first")
    ]
    assert warned(below, above) == []


@pytest.mark.parametrize("hidden", ["above", "below"])
def test_a_policy_in_shadow_stands_in_nobody_s_light_and_in_nobody_s_shadow(hidden: str) -> None:
    both = {
        "above": policy("workload.public: true", id="above"),
        "below": policy("workload.public: true, virustotal.malicious: {at_least: 10}", id="below", given=""),
    }
    both[hidden] = both[hidden].replace("when:", "shadow: true\nwhen:")

    assert warned(*both.values()) == []


def test_a_ceiling_that_can_never_matter_is_told_whichever_comes_first() -> None:
    entries = (
        "{project: a, ceiling: approve}, {project: a, ceiling: monitor}, {project: b, ceiling: monitor},"
        " {project: c, ceiling: enforce}"
    )
    found = [
        one for _, _, one in warned(policy("workload.public: true"), config=f"ceiling: enforce\nceilings: [{entries}]")
    ]

    assert found == [
        "this never lowers anything: the ceiling of project a is monitor, and the lowest counts",
        "this never lowers anything: the ceiling everywhere is enforce, and the lowest counts",
    ]


def test_a_ceiling_at_a_place_that_cannot_be_read_is_compared_with_no_other() -> None:
    """The fault says what is wrong; a warning about it would name no place."""
    entries = '{folder: "folders/1", ceiling: monitor}, {folder: 2, ceiling: monitor}'
    files = {"0.yaml": policy(), "firebreak.yaml": f'organization: "1"\nceiling: approve\nceilings: [{entries}]\n'}
    read = read_policies(files, WORLD.catalogue, ACTIONS)

    assert lint(read.policies, read.config, files, ACTIONS, WORLD).warnings == ()


def test_several_policies_above_may_leave_one_nothing_only_together() -> None:
    some = policy("virustotal.verdict: {in: [malicious, suspicious]}", id="some", no="virustotal.verdict: undetected")
    rest = policy(
        "virustotal.verdict: {not_in: [malicious, suspicious]}", id="rest", no="virustotal.verdict: malicious"
    )
    below = policy("virustotal.verdict: {exists: true}, workload.public: true", id="below")

    (told,) = warned(some, rest, below)

    assert told[0] == 1
    assert "`some` (enforce, 0.yaml:1)" in told[2]
    assert "`rest` (enforce, 1.yaml:1)" in told[2]
    assert "above it together match first" in told[2]


def test_policies_of_different_categories_do_not_stand_in_each_other_s_light() -> None:
    one = policy(f'finding.category: "{MALWARE}"', id="one", no="finding.category: A")
    other = policy("finding.category: Reverse Shell, workload.public: true", id="other")

    assert warned(one, other) == []


@pytest.mark.parametrize(
    ("when", "then", "place", "said"),
    [
        (
            "workload.kind: job",
            "{action: cut_traffic}, {action: stop_job}",
            (4, 8),
            "this step never acts: `cut_traffic` acts on `service`, and this policy is about `job`",
        ),
        (
            "workload.kind: {in: [service, job]}",
            "{action: cut_traffic}",
            (3, 8),
            "for `job`, which this policy matches too, none of its steps can act",
        ),
        (
            "workload.public: true",
            "{action: pin_previous_revision, otherwise: [{action: pin_previous_revision}]}",
            (4, 52),
            "this cannot follow: `pin_previous_revision` has been tried before, and was refused or has failed",
        ),
        (
            "workload.public: true",
            "{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}, {action: cut_traffic}",
            (4, 52),
            "this adds nothing: `cut_traffic` is a step of the policy in any case",
        ),
        (
            "workload.public: true",
            "{action: cut_traffic, accept_irreversible: true}",
            (4, 8),
            "`accept_irreversible` has no effect: `cut_traffic` can be undone",
        ),
    ],
)
def test_steps_that_do_nothing_are_told(when: str, then: str, place: tuple[int, int], said: str) -> None:
    no = "workload.kind: instance" if "kind" in when else "workload.public: false"

    assert warned(policy(when, then, no=no)) == [(*place, said)]


@pytest.mark.parametrize(("mode", "lines"), [("enforce", [(4, 8), (4, 77)]), ("approve", []), ("monitor", [])])
def test_a_step_that_keeps_all_others_waiting_for_a_person_is_told(mode: str, lines: list[tuple[int, int]]) -> None:
    """Where the policy says that it acts alone; as a fallback too."""
    default = "{action: disable_service_account, allow_default: true}"
    then = f"{{action: disable_service_account}}, {{action: cut_traffic, otherwise: [{default}]}}"
    told = warned(policy(then=then, mode=mode))

    assert [(line, column) for line, column, said in told if "a person is asked each time" in said] == lines


def test_another_parameter_makes_another_fallback() -> None:
    then = (
        "{action: pin_previous_revision, require_different_image: true, otherwise: [{action: pin_previous_revision}]}"
    )

    assert warned(policy(then=then)) == []


NEVER = ", whatever the target is like, so that nothing would ever be written: leave one of them out, or have it follow"
SOME = " on some targets, and none of the steps is written there: keep one of the two"


def faults(text: str) -> list[tuple[int, int, str]]:
    """What must not be merged though it loads."""
    return places(linted(text).failing)


@pytest.mark.parametrize(
    ("when", "then", "undoes"),
    [
        ("workload.public: true", "{action: shut_door}, {action: open_door}", "`open_door` undoes `shut_door`"),
        ("workload.kind: job", "{action: block_runs}, {action: let_run}", "`let_run` undoes `block_runs`"),
        ("workload.kind: worker_pool", "{action: suspend}, {action: start_pool}", "`start_pool` undoes `suspend`"),
    ],
)
def test_steps_that_undo_each_other_on_every_target_load_and_are_at_fault(when: str, then: str, undoes: str) -> None:
    no = "workload.kind: service" if "kind" in when else "workload.public: false"
    ((line, column, said),) = faults(policy(when, then, no=no))

    assert (line, column) == (4, len("then: [") + then.index(", {") + 3)
    assert said == f"{undoes}{NEVER} the other under `otherwise`"


@pytest.mark.parametrize(
    ("when", "then", "undoes"),
    [
        (
            "workload.kind: service",
            "{action: cut_traffic}, {action: open_tagged}",
            "`open_tagged` undoes `cut_traffic`",
        ),
        ("workload.public: true", "{action: shut_all}, {action: open_door}", "`open_door` undoes `shut_all`"),
        (
            "workload.public: true",
            "{action: shut_door}, {action: pin_previous_revision, otherwise: [{action: open_door}]}",
            "`open_door` undoes `shut_door`",
        ),
    ],
)
def test_steps_that_undo_each_other_on_some_targets_load_and_are_told(when: str, then: str, undoes: str) -> None:
    no = "workload.kind: instance" if "kind" in when else "workload.public: false"

    assert faults(policy(when, then, no=no)) == []
    assert [message for _, _, message in warned(policy(when, then, no=no))] == [undoes + SOME]


def test_what_undoes_a_step_may_follow_it_where_it_fails() -> None:
    then = "{action: pin_previous_revision, otherwise: [{action: shut_door, otherwise: [{action: open_door}]}]}"

    assert warned(policy(then=then)) == []


def test_steps_are_tried_only_on_what_the_policy_can_be_about() -> None:
    then = "{action: shut_all}, {action: open_door}"
    ((_, _, said),) = faults(policy("workload.kind: service", then, no="workload.kind: job"))

    assert said.startswith("`open_door` undoes `shut_all`, whatever")


def test_policies_with_the_same_steps_are_each_told_in_their_place() -> None:
    text = policy(then="{action: shut_door}, {action: open_door}")
    files = {"0.yaml": text, "1.yaml": f"# another\n{text.replace('id: x', 'id: z')}"}
    read = read_policies(files, WORLD.catalogue, ACTIONS)
    told = lint(read.policies, read.config, files, ACTIONS, WORLD).failing

    assert [(one.at.file, one.at.line) for one in told] == [("0.yaml", 4), ("1.yaml", 5)]


@pytest.mark.parametrize("kind", ["service", "worker_pool", "job"])
def test_steps_are_tried_on_workloads_that_could_be(kind: Kind) -> None:
    for state, case in SAMPLES[kind]:
        known = {one.name for one in case.revisions} | {LATEST}

        assert {surface_of(key) for key in state} <= SURFACES[kind]
        assert split_key(state) is None or sum(split_of(state).values()) == 100
        assert {*split_of(state), *tags_of(state).values()} <= known
        assert case.target.kind == kind


def test_the_shipped_actions_can_be_combined_in_any_order() -> None:
    actions = responders.discover()
    steps = [Step(name, one.params()) for name, one in actions.items()]

    assert [pair for pair in itertools.permutations(steps, 2) if undoings(pair, actions)] == []


@pytest.mark.parametrize(
    ("keys", "more", "line", "said"),
    [
        ({"mode": "approve", "notify": "[]"}, "", 5, "this policy asks a person, and names nobody to be told"),
        ({"notify": "[]"}, "", 5, "this policy acts, or asks a person where it is not sure, and names nobody"),
        ({}, "release_after: 4h", 6, "with mode enforce and `release_after`, a containment comes and goes"),
        ({}, "on_expiry: contain", 6, "`on_expiry: contain` has no effect in mode enforce"),
    ],
)
def test_policies_that_act_unheard_are_told(keys: dict[str, str], more: str, line: int, said: str) -> None:
    (told,) = warned(policy(more=more, **keys))

    assert told[0] == line
    assert told[2].startswith(said)


def test_a_policy_that_monitors_needs_nobody_to_be_told() -> None:
    assert warned(policy(mode="monitor", notify="[]")) == []


def test_a_category_that_is_nearly_a_detector_s_is_told_with_the_right_one() -> None:
    text = policy('finding.category: "Execution: Added malicious binary executed"', no="finding.category: A")
    (fault,) = linted(text).warnings

    assert fault.nearest == MALWARE
    assert warned(policy("finding.category: Our own detector", no="finding.category: A")) == []


def test_a_glob_without_a_wildcard_is_told() -> None:
    text = policy("workload.project: {glob: core}", given="workload.project: core", no="workload.project: pay")

    assert warned(text) == [(3, 8, "the glob `core` has no * and no ?: it fits that text alone")]


@pytest.mark.parametrize("compared", ["core-*", "{in: [core, core-*]}", "{not_in: [core-*]}"])
def test_a_wildcard_that_is_compared_as_it_stands_is_warned_of(compared: str) -> None:
    text = policy(f"workload.project: {compared}", given="workload.project: core-*", no="workload.project: pay")
    told = [one for one in warned(text) if "core-*" in one[2]]

    assert told == [(3, 8, "`core-*` is compared as it stands: write {glob: core-*}")]


def test_a_wildcard_in_a_glob_is_meant() -> None:
    text = policy("workload.project: {glob: core-*}", given="workload.project: core-1", no="workload.project: pay")

    assert not [one for one in warned(text) if "as it stands" in one[2]]


def test_a_set_that_no_policy_uses_is_told() -> None:
    text = policy("workload.project: {in_set: used}", no="workload.project: c")
    (told,) = warned(text, config="sets: {used: [a], unused: [b]}")

    assert told == (2, 19, "no policy uses the set `unused`")


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ("{shop: [soc], search: [soc]}", ["no route leads from `oncall` to a channel"]),
        ("{shop: [soc], default: [soc]}", []),
        ("{oncall: [soc]}", []),
        ("{}", []),
    ],
)
def test_a_label_that_leads_to_no_channel_is_told_where_there_is_no_default(routes: str, told: list[str]) -> None:
    channels = "channels: {soc: {kind: slack, secret: FIREBREAK_NOTIFY_SOC}}"
    said = warned(policy(), config=f"notify: {{{channels}, routes: {routes}}}")

    assert [(line, what.partition(":")[0]) for line, _, what in said] == [(5, one) for one in told]
