"""What has to be in force once holds come and go: their edits folded over the origin, and restored key by key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from firebreak.core.actions.action import Actions, Refusal
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.edits import edited
from firebreak.core.cloud_run.setting_names import is_final
from firebreak.core.cloud_run.state import State
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.plan import HeldStep


def should_stand(standing: Standing, case: EditContext, actions: Actions) -> State | Refusal:
    """The fold of all holds' edits over the origin; every edit sees the union of all holds' suspects."""
    whole = replace(case, suspicion=replace(case.suspicion, rule="named", revisions=standing.suspects))
    state: State = dict(standing.origin)
    for hold in sorted(standing.holds, key=lambda one: one.taken_ns):
        for step in hold.steps:
            after = _again(step, state, whole, actions)
            if isinstance(after, Refusal):
                return Refusal(f"{step.action} for {hold.incident}: {after.reason}")
            state = after
    return state


def _again(step: HeldStep, state: State, case: EditContext, actions: Actions) -> State | Refusal:
    """The edit of a step as it was saved, by the action as it is now, if there is one."""
    action = actions.get(step.action)
    if action is None:
        return Refusal("there is no such action in this version of Firebreak, or it does not load")
    try:
        params = action.params(**step.params)
    except (TypeError, ValueError):
        return Refusal("it was saved with parameters that the action does not take any more")
    return edited(action, state, case, params)


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a release would write, what is left alone because a person changed it, and what cannot be brought back."""

    state: State
    left_alone: tuple[str, ...]
    lost: tuple[str, ...] = ()


def restoration(current: State, standing: Standing, wanted: State) -> Restoration:
    """Key by key: a setting that still equals what Firebreak wrote goes to `wanted`; any other is a person's."""
    state: dict[str, Any] = dict(current)
    left: list[str] = []
    lost: list[str] = []
    for key in sorted(standing.applied.keys() | standing.pending.keys() | wanted.keys()):
        stands = standing.pending[key] if key in standing.pending else standing.applied.get(key)
        if stands == wanted.get(key) and current.get(key) == stands:
            continue
        if is_final(key):
            lost += [key] if stands is not None and stands != wanted.get(key) else []
        elif standing.wrote(key, current.get(key)):
            state[key] = wanted.get(key)
        elif current.get(key) != wanted.get(key) and stands != wanted.get(key):
            left.append(key)
    kept = {key: value for key, value in state.items() if value is not None}
    return Restoration(kept, tuple(left), tuple(lost))
