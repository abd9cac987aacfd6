"""What has to be in force once holds come and go: their edits folded over the origin, and restored key by key."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.actions.action import Actions, Refusal
from firebreak.core.actions.case import EditContext, edit_context
from firebreak.core.actions.edits import run_edit
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.setting_names import LATEST, POOL_SPLIT, SPLIT, TAG, is_final
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.workload import Workload, references, split_of, split_text
from firebreak.core.containment.active_containment import Standing, merge_settings
from firebreak.core.containment.plan import HeldStep
from firebreak.core.incidents.release import ReleasedKey

_WHOLE = 100
"""Percent."""


def required_state(standing: Standing, case: EditContext, actions: Actions) -> State | Refusal:
    """The settings that all holds together require: their edits applied to the origin, oldest hold first.

    Every edit sees the suspects of all holds. A Refusal names the step that can no longer be applied.
    """
    suspicion = replace(case.suspicion, rule="named", revisions=standing.suspects)
    whole = replace(case, suspicion=suspicion, held=frozenset())
    state: State = dict(standing.origin)
    for hold in sorted(standing.holds, key=lambda one: one.taken_ns):
        before = state
        refused = replace(whole, unsupported=whole.unsupported | {*hold.unsupported})
        for step in hold.steps:
            after = _repeat_step(step, state, refused, actions)
            if isinstance(after, Refusal):
                return Refusal(f"{step.action} for {hold.incident}: {after.reason}")
            state = after
        # What a release has given back already is not asked for any more.
        state = merge_settings(state, {key: before.get(key) for key in hold.let_go})
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


def released_keys(standing: Standing, wanted: State, now: Workload) -> tuple[ReleasedKey, ...]:
    """Every setting that Firebreak wrote and that is to be another now, with what is to be done about it.

    A setting that still has Firebreak's value is due; any other value is a person's and stays. What names a revision
    that was deleted is gone, and a split as a whole where the rest does not make 100 %.
    """
    current, found = now.state, []
    for key in sorted(standing.applied.keys() | standing.pending.keys() | wanted.keys()):
        stands = standing.pending[key] if key in standing.pending else standing.applied.get(key)
        value, there = wanted.get(key), current.get(key)
        made = ReleasedKey(now.target, key, there, value)
        if is_final(key):
            if stands is not None and stands != value:
                found.append(replace(made, result="gone", detail="a cancelled run cannot be resumed"))
        elif there == value:
            if stands != value:
                found.append(replace(made, result="restored", detail="it was so already"))
            elif key in standing.pending:  # given back, and not seen in effect yet
                found.append(replace(made, before=standing.applied.get(key)))
        elif not standing.is_as_written(key, there):
            if stands != value or key in standing.pending:
                found.append(replace(made, result="person", detail="a person changed it, and it is left as it is"))
        else:
            found.append(_without_deleted(made, now))
    return tuple(found)


def _without_deleted(key: ReleasedKey, now: Workload) -> ReleasedKey:
    """The setting without revisions that do not exist any more: Cloud Run would not take it, nor serve it."""
    known = {LATEST, *(one.name for one in now.revisions)}
    if key.key.startswith(TAG) and key.after is not None and key.after not in known:
        return replace(key, result="gone", detail=f"{key.after} does not exist any more")
    if key.key not in (SPLIT, POOL_SPLIT) or key.after is None:
        return key
    split = split_of({key.key: key.after})
    left = {name: percent for name, percent in split.items() if name in known}
    lost = ", ".join(sorted(split.keys() - left.keys()))
    if sum(left.values()) != _WHOLE:
        return replace(key, result="gone", detail=f"{lost} does not exist any more: the split stays as it is")
    return replace(key, after=split_text(left))


def kept_shut(standing: Standing, now: Workload, actions: Actions) -> State:
    """The settings as all holds would have them now; as they are, where a step cannot be applied to them."""
    suspicion = Suspicion("named", standing.suspects, "held")
    kept = required_state(replace(standing, origin=now.state), edit_context(now.target, suspicion, now), actions)
    return now.state if isinstance(kept, Refusal) else kept


def opened_suspects(rest: Standing, wanted: State, now: Workload) -> tuple[str, ...]:
    """Suspects of the holds that remain to which the settings would lead, and do not now; doors do not count."""
    return tuple(sorted(rest.suspects & (_led(wanted, now.latest) - _led(now.state, now.latest))))


def _led(state: State, latest: str | None) -> frozenset[str]:
    uses = references(state, latest)
    return frozenset(name for name, use in uses.items() if use.percent or use.tags)


def keeps_others_shut(standing: Standing, keys: tuple[ReleasedKey, ...]) -> tuple[ReleasedKey, ...]:
    """What would be written that is neither as it was nor as it is: what another hold needs in its place."""
    return tuple(one for one in keys if one.result == "due" and one.after != standing.origin.get(one.key))
