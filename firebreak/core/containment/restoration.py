"""What has to be in force once holds come and go: their edits folded over the origin, and restored key by key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from firebreak.core.actions.action import Actions, Refusal
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.edits import run_edit
from firebreak.core.cloud_run.setting_names import is_final
from firebreak.core.cloud_run.state import State
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.plan import HeldStep


def required_state(standing: Standing, case: EditContext, actions: Actions) -> State | Refusal:
    """The settings that all holds together require: their edits applied to the origin, oldest hold first.

    Every edit sees the suspects of all holds. A Refusal names the step that can no longer be applied.
    """
    whole = replace(case, suspicion=replace(case.suspicion, rule="named", revisions=standing.suspects))
    state: State = dict(standing.origin)
    for hold in sorted(standing.holds, key=lambda one: one.taken_ns):
        for step in hold.steps:
            after = _repeat_step(step, state, whole, actions)
            if isinstance(after, Refusal):
                return Refusal(f"{step.action} for {hold.incident}: {after.reason}")
            state = after
    return state


def _repeat_step(step: HeldStep, state: State, case: EditContext, actions: Actions) -> State | Refusal:
    """The edit of a saved step by the action of this version, if there is one."""
    action = actions.get(step.action)
    if action is None:
        return Refusal("there is no such action in this version of Firebreak, or it does not load")
    try:
        params = action.params(**step.params)
    except (TypeError, ValueError):
        return Refusal("it was saved with parameters that the action no longer accepts")
    return run_edit(action, state, case, params)


@dataclass(frozen=True, slots=True)
class Restoration:
    """The settings after a release, those it leaves because a person changed them, and those that are lost."""

    state: State
    left_alone: tuple[str, ...]
    lost: tuple[str, ...] = ()


def restoration(current: State, standing: Standing, wanted: State) -> Restoration:
    """What to write to get from `current` to `wanted`, setting by setting.

    A setting that still has Firebreak's value is set to `wanted`; any other value is a person's and stays. An execution
    that was cancelled cannot be restored and is reported as lost.
    """
    state: dict[str, Any] = dict(current)
    left: list[str] = []
    lost: list[str] = []
    for key in sorted(standing.applied.keys() | standing.pending.keys() | wanted.keys()):
        stands = standing.pending[key] if key in standing.pending else standing.applied.get(key)
        if stands == wanted.get(key) and current.get(key) == stands:
            continue
        if is_final(key):
            lost += [key] if stands is not None and stands != wanted.get(key) else []
        elif standing.is_as_written(key, current.get(key)):
            state[key] = wanted.get(key)
        elif current.get(key) != wanted.get(key) and stands != wanted.get(key):
            left.append(key)
    kept = {key: value for key, value in state.items() if value is not None}
    return Restoration(kept, tuple(left), tuple(lost))
