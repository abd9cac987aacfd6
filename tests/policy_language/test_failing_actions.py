"""An action whose own code fails: it is named with its place, the others go on, and it is no refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

import enrichment
import responders
from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.setting_names import INGRESS
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.drafting import draft
from firebreak.core.containment.guards import guard_broken_action
from firebreak.core.containment.plan import HeldStep
from firebreak.core.containment.restoration import required_state
from firebreak.core.policy.compiled import compiled, load_compiled
from firebreak.core.policy.policy import Step
from firebreak.policy_language.analysis.failing_actions import failing_steps
from firebreak.policy_language.analysis.step_conflicts import undoings
from firebreak.policy_language.lint.conditions import LintContext
from firebreak.policy_language.lint.lint import lint
from firebreak.policy_language.reading.policies import parse_policies, read_policies

ANY: Any = None
"""What the guard is given beside the plan, which it does not look at."""
OURS = re.compile(r"tests/policy_language/test_failing_actions\.py:\d+")
CASE = EditContext(
    Target("p", "l", "service", "svc"), Suspicion("named", frozenset({"r-1"}), "why"), (), None, frozenset()
)
GRANT = "service_iam.roles/run.invoker||allUsers"
OPEN: State = {INGRESS: "all", GRANT: True}
NONE: frozenset[str] = frozenset()


def _misspelt(before: State) -> State:
    return {**before, INGRESS: before["service.ingres"]}


def _nothing(_: State) -> State:
    return cast("State", None)


def _fails_on_its_own_result(before: State) -> State:
    return {**before, INGRESS: {"all": "none"}[str(before[INGRESS])]}


def _closes(before: State) -> State:
    return {**before, INGRESS: "none"}


def _revokes(before: State) -> State:
    return {key: value for key, value in before.items() if key != GRANT}


@dataclass(frozen=True)
class Edits:
    """An action that does what a test says."""

    name: str
    change: Callable[[State], State]
    surfaces: frozenset[str] = frozenset({"service"})
    kinds: frozenset[str] = frozenset({"service"})
    reversible: bool = True
    reach: str = "workload"
    params: type = NoParams

    def edit(self, before: State, case: EditContext, params: object) -> State | Refusal:  # noqa: ARG002 - it is a fixed edit
        return self.change(before)


ACTIONS = cast(
    "Mapping[str, Responder]",
    {
        "misspelt": Edits("misspelt", _misspelt),
        "nothing": Edits("nothing", _nothing),
        "once": Edits("once", _fails_on_its_own_result),
        "close": Edits("close", _closes),
        "revoke": Edits("revoke", _revokes, frozenset({"service_iam"})),
    },
)
BROKEN = ["misspelt", "nothing", "once"]
POLICY = """
id: x
mode: enforce
when: {finding.category: "Reverse Shell"}
then: [{action: BROKEN, otherwise: [{action: close}]}, {action: revoke}]
notify: [oncall]
examples:
  - {given: {}, expect: {mode: enforce}}
  - {given: {finding.category: "Unexpected Child Shell"}, expect: nothing}
"""


def step(name: str, *otherwise: Step) -> Step:
    return Step(name, NoParams(), otherwise)


@pytest.mark.parametrize("broken", BROKEN)
def test_the_step_is_left_out_with_its_place_the_rest_goes_on_and_its_otherwise_does_not_follow(broken: str) -> None:
    """What fails says nothing of the target: `otherwise` is for a target on which a step cannot be taken."""
    plan = draft((step(broken, step("close")), step("revoke")), OPEN, CASE, ACTIONS)
    (refusal,) = plan.refusals

    assert [change.surface for change in plan.changes] == ["service_iam"]
    assert [one.action for one in plan.steps] == ["revoke"]
    assert (refusal.action, refusal.kind) == (broken, "fault")
    assert OURS.search(refusal.reason) or "returned NoneType instead of settings" in refusal.reason


def test_a_refusal_of_the_action_s_own_is_no_fault_and_its_otherwise_follows() -> None:
    refuses = cast("Responder", Edits("refuses", lambda _: cast("State", Refusal("no revision to go back to"))))
    plan = draft((step("refuses", step("close")),), OPEN, CASE, {**ACTIONS, "refuses": refuses})

    assert [change.actions for change in plan.changes] == [("close",)]
    assert [one.kind for one in plan.refusals] == ["cannot"]
    assert guard_broken_action(ANY, plan, ACTIONS) == []


@pytest.mark.parametrize("broken", BROKEN)
def test_a_person_is_asked_about_what_is_left_of_the_plan(broken: str) -> None:
    plan = draft((step(broken), step("revoke")), OPEN, CASE, ACTIONS)
    (cap,) = guard_broken_action(ANY, plan, ACTIONS)

    assert (cap.name, cap.kind) == ("action", "caution")
    assert cap.reason.startswith(f"a fault in Firebreak itself: {broken}: its own code")


@pytest.mark.parametrize("broken", BROKEN)
def test_policies_that_use_it_load(broken: str) -> None:
    """What fails when it is tried keeps nothing from loading."""
    text = POLICY.replace("BROKEN", broken)

    assert len(parse_policies({"x.yaml": text}, enrichment.catalogue(), ACTIONS).policies) == 1


def test_policies_load_without_any_action_being_executed() -> None:
    """From YAML and compiled: whatever an action does, only a plan and who checks policies make it do it."""
    executed: list[State] = []

    def spied(before: State) -> State:
        executed.append(before)
        return _closes(before)

    actions = cast("Mapping[str, Responder]", {**ACTIONS, "spied": Edits("spied", spied)})
    files = {"x.yaml": POLICY.replace("BROKEN", "spied")}
    from_yaml = parse_policies(files, enrichment.catalogue(), actions)
    load_compiled(compiled(from_yaml, files), files, enrichment.catalogue(), actions)

    assert executed == []
    assert list(failing_steps(from_yaml.policies[0], actions)) == []
    assert executed, "the action is one that is executed when it is tried"


@pytest.mark.parametrize("broken", BROKEN)
def test_lint_names_the_action_and_the_line_and_says_no(broken: str) -> None:
    files = {"x.yaml": POLICY.replace("BROKEN", broken)}
    read = read_policies(files, enrichment.catalogue(), ACTIONS)
    found = lint(read.policies, read.config, files, ACTIONS, LintContext(enrichment.catalogue(), 0))
    (fault,) = found.failing

    assert (fault.at.line, f"a fault of the action `{broken}` itself" in fault.message) == (5, True)
    assert OURS.search(fault.message) or "NoneType" in fault.message


def test_lint_finds_it_behind_otherwise_too() -> None:
    text = POLICY.replace("BROKEN, otherwise: [{action: close}]", "close, otherwise: [{action: misspelt}]")
    (policy,) = read_policies({"x.yaml": text}, enrichment.catalogue(), ACTIONS).policies

    assert [step.action for step, _ in failing_steps(policy, ACTIONS)] == ["misspelt"]


def test_no_shipped_action_fails_on_any_workload_made_up_to_try_it_on() -> None:
    actions = responders.discover()
    text = POLICY.replace("{action: BROKEN, otherwise: [{action: close}]}, {action: revoke}", "{action: ACTION}")
    files = {f"{name}.yaml": text.replace("ACTION", name).replace("id: x", f"id: {name}") for name in actions}
    policies = read_policies(files, enrichment.catalogue(), actions).policies

    assert len(policies) == len(actions)
    assert [one for policy in policies for one in failing_steps(policy, actions)] == []


def test_a_step_that_fails_on_the_result_of_another_is_not_told_as_undone_by_it() -> None:
    assert undoings((step("once"), step("revoke")), ACTIONS) == ()


@pytest.mark.parametrize("broken", [*BROKEN, "gone"])
def test_a_release_beside_which_it_has_to_be_folded_again_is_refused_with_why(broken: str) -> None:
    """Also where the action has been taken away since: what others hold cannot be kept by guessing."""
    hold = Hold("fb-1", (HeldStep(broken, {}), HeldStep(broken, {})), frozenset({"r-1"}), 1)
    wanted = required_state(replace(Standing("t"), origin=OPEN, holds=(hold,)), CASE, ACTIONS)

    assert isinstance(wanted, Refusal)
    assert f"{broken} for fb-1: " in wanted.reason


def test_parameters_that_the_action_does_not_take_any_more_refuse_a_release() -> None:
    hold = Hold("fb-1", (HeldStep("close", {"old": True}),), frozenset({"r-1"}), 1)
    wanted: Any = required_state(replace(Standing("t"), origin=OPEN, holds=(hold,)), CASE, ACTIONS)

    assert wanted == Refusal("close for fb-1: it was saved with parameters that the action no longer accepts")
