"""From policy steps to a plan: edits folded over settings, one Change a surface, and what follows if one fails."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from types import MappingProxyType

from firebreak.core.actions.action import Actions, Refusal
from firebreak.core.actions.case import EditContext, basis_of
from firebreak.core.actions.edits import run_edit
from firebreak.core.actions.setting_order import loosened_settings
from firebreak.core.cloud_run.setting_names import ACCOUNT, IDENTITY, SURFACES
from firebreak.core.cloud_run.state import State, surface_of
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Change, HeldStep, Plan, StepRefusal, apply_change, in_write_order
from firebreak.core.policy.policy import Step


@dataclass(frozen=True, slots=True)
class Folded:
    """Steps applied one after the other to settings: the result, the steps that were applied, and the refused ones."""

    state: State
    steps: tuple[Step, ...]
    refusals: tuple[StepRefusal, ...] = ()


def fold(steps: tuple[Step, ...], state: State, case: EditContext, actions: Actions, failed: frozenset[str]) -> Folded:
    """Apply every step in order; where an edit cannot be made, or has failed for good here, its `otherwise` follows.

    Not where nothing is suspect, something could not be read, or the action itself is at fault: then a person decides.
    """
    drawn = Folded(state, ())
    for step in steps:
        drawn = _apply(step, drawn, case, actions, failed)
    return drawn


def _apply(step: Step, drawn: Folded, case: EditContext, actions: Actions, failed: frozenset[str]) -> Folded:
    after: State | Refusal = Refusal("it failed before")
    if step.action not in failed:
        after = _edit(step, drawn.state, case, actions)
    if not isinstance(after, Refusal):
        return replace(drawn, state=after, steps=(*drawn.steps, step))
    refused = replace(drawn, refusals=(*drawn.refusals, StepRefusal(step.action, after.reason, after.kind)))
    if after.kind != "cannot":
        return refused
    instead = fold(step.otherwise, refused.state, case, actions, failed)
    return Folded(instead.state, (*refused.steps, *instead.steps), (*refused.refusals, *instead.refusals))


def _edit(step: Step, state: State, case: EditContext, actions: Actions) -> State | Refusal:
    action = actions[step.action]
    if case.target.kind not in action.kinds:
        return Refusal(f"{step.action} does not act on a {case.target.kind.replace('_', ' ')}")
    unread = sorted(action.surfaces & case.unread.keys())
    if unread:
        reason = "; ".join(f"{surface} could not be read: {case.unread[surface]}" for surface in unread)
        return Refusal(reason, "unread")
    return run_edit(action, state, case, step.params)


def draft(
    steps: tuple[Step, ...],
    state: State,
    case: EditContext,
    actions: Actions,
    *,
    policy_set: str = "",
    failed: frozenset[str] = frozenset(),
) -> Plan:
    """The plan for these steps, and what follows if its writes fail. Steps that undo each other or loosen draw none."""
    drawn = fold(steps, state, case, actions, failed)
    wrong = find_undone_steps(drawn, case, actions)
    if broken := tuple(one for one in wrong if one.kind == "fault"):
        others = _without(steps, frozenset(one.action for one in broken))
        rest = draft(others, state, case, actions, policy_set=policy_set, failed=failed)
        return replace(rest, refusals=(*broken, *rest.refusals))
    if wrong := wrong or _find_loosening_steps(state, drawn, case):
        return Plan((), (), (*drawn.refusals, *wrong), (), policy_set)
    changes = changes_of(state, drawn, case, actions)
    gives_way = failed | {step.action for step in drawn.steps if step.otherwise and any(one.after for one in changes)}
    fallback = () if gives_way == failed else _fallback(steps, state, case, actions, gives_way)
    return Plan(changes, tuple(_held_step(step) for step in drawn.steps), drawn.refusals, fallback, policy_set)


def _without(steps: tuple[Step, ...], names: frozenset[str]) -> tuple[Step, ...]:
    return tuple(replace(one, otherwise=_without(one.otherwise, names)) for one in steps if one.action not in names)


def _held_step(step: Step) -> HeldStep:
    return HeldStep(step.action, MappingProxyType(dataclasses.asdict(step.params)))  # type: ignore[call-overload]


def find_undone_steps(drawn: Folded, case: EditContext, actions: Actions) -> tuple[StepRefusal, ...]:
    """Every edit must still be a fixed point of the folded result; one that fails on it is told as what it is."""
    again = [(step, _edit(step, drawn.state, case, actions)) for step in drawn.steps]
    return tuple(
        StepRefusal(step.action, after.reason, "fault")
        if isinstance(after, Refusal) and after.kind == "fault"
        else StepRefusal(step.action, "a later step of the policy undoes it; nothing is written")
        for step, after in again
        if after != drawn.state
    )


def _find_loosening_steps(before: State, drawn: Folded, case: EditContext) -> tuple[StepRefusal, ...]:
    """No plan may leave anything more open than it is, whatever an action draws."""
    wider = ", ".join(loosened_settings(before, drawn.state, case))
    return tuple(StepRefusal(step.action, f"it would loosen {wider}") for step in drawn.steps if wider)


def changes_of(before: State, drawn: Folded, case: EditContext, actions: Actions) -> tuple[Change, ...]:
    """One Change for each surface that the applied steps edit; one where nothing differs is verified all the same.

    They come in the order in which the steps name them: what a policy says first is written first, identities last.
    """
    own = SURFACES.get(case.target.kind, frozenset()) | ({IDENTITY} if case.accounts else set())
    surfaces = dict.fromkeys(
        surface for step in drawn.steps for surface in sorted(actions[step.action].surfaces) if surface in own
    )
    return in_write_order(
        tuple(
            _change(surface, target, before, drawn, case, actions)
            for surface in surfaces
            for target in (case.accounts if surface == IDENTITY else (case.target,))
        )
    )


def _change(surface: str, target: Target, before: State, drawn: Folded, case: EditContext, actions: Actions) -> Change:
    differ = sorted(
        key
        for key in before.keys() | drawn.state.keys()
        if surface_of(key) == surface
        and before.get(key) != drawn.state.get(key)
        and (surface != IDENTITY or key == ACCOUNT + target.name)
    )
    return Change(
        target=target,
        surface=surface,
        before=MappingProxyType({key: before.get(key) for key in differ}),
        after=MappingProxyType({key: drawn.state.get(key) for key in differ}),
        basis=MappingProxyType(dict(basis_of(case, target, drawn.state, surface))),
        actions=tuple(step.action for step in drawn.steps if surface in actions[step.action].surfaces),
    )


def _fallback(
    steps: tuple[Step, ...], state: State, case: EditContext, actions: Actions, gives_way: frozenset[str]
) -> tuple[Change, ...]:
    """What follows if a change fails for good: its steps with an `otherwise` give way to it."""
    drawn = fold(steps, state, case, actions, gives_way)
    wrong = find_undone_steps(drawn, case, actions) or _find_loosening_steps(state, drawn, case)
    return () if wrong else changes_of(state, drawn, case, actions)


def settings_still_to_close(
    change: Change, steps: tuple[HeldStep, ...], state: State, case: EditContext, actions: Actions
) -> tuple[str, ...]:
    """Keys that the steps would still edit after the change was made, because they appeared after it was drafted."""
    made = then = apply_change(state, change)
    for step in steps:
        run_edit = actions[step.action].edit(then, case, actions[step.action].params(**step.params))
        then = then if isinstance(run_edit, Refusal) else run_edit
    differ = (key for key in made.keys() | then.keys() if made.get(key) != then.get(key))
    return tuple(sorted(key for key in differ if surface_of(key) == change.surface))
