"""The second invariant: what is written over is what was planned for, on the very resource that it was planned for."""

from __future__ import annotations

from tests.model.history import Violated, Wrote
from tests.model.invariants.kinds_of_writes import is_containing, is_held_by_others
from tests.model.reference import ours, uid_at
from tests.model.stage import Stage


def check_unchanged(stage: Stage) -> None:
    """A setting is written only where it still is what the plan's `before` says, on the resource with the same uid."""
    for wrote in stage.history.this_step():
        for found in (_settings(wrote), _uid(stage, wrote), _person(stage, wrote)):
            if found:
                message = f"{found}: {wrote}"
                raise Violated(2, message)


def _settings(wrote: Wrote) -> str:
    differs = [key for key, value in wrote.change.before.items() if wrote.before.settings.get(key) != value]
    beside = sorted(wrote.changed.keys() - wrote.change.after.keys())
    if differs:
        return f"{', '.join(differs)} was no longer as planned"
    return f"{', '.join(beside)} was changed beside the plan" if beside else ""


def _uid(stage: Stage, wrote: Wrote) -> str:
    """The uid is that of the plan's first saving; what is taken back was written on this very resource."""
    history = stage.history
    if not is_containing(history, wrote):
        mine = {one.before.uid for one in history.writes if one.place == wrote.place and one.seq < wrote.seq}
        return "" if wrote.before.uid in mine else "what is taken back was never written on this resource"
    plan = wrote.incident.plan if wrote.incident else None
    if plan is None or wrote.incident is None:
        return ""
    looks = history.looks.get(wrote.incident.id, ())
    planned = next((one for one in looks if one.incident.plan and one.incident.plan.digest == plan.digest), None)
    if planned is None or planned.step >= wrote.step:
        return ""
    last = max((one.seq for one in history.did if one.step <= planned.step), default=0)
    then = uid_at(history, wrote.place, last + 1)
    return "" if then == wrote.before.uid else "it was made anew since the plan was drawn"


def _person(stage: Stage, wrote: Wrote) -> str:
    """What is taken back was Firebreak's own when it was taken back; for other holds more may have to be shut."""
    if is_containing(stage.history, wrote) or is_held_by_others(stage.history, wrote):
        return ""
    own = ours(stage.history, wrote.place, wrote.seq)
    theirs = [key for key, (before, _) in wrote.changed.items() if own.get(key, "") != before]
    return f"{', '.join(theirs)} was a person's by then" if theirs else ""
