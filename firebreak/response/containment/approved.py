"""What of a plan drawn anew a person has seen and approved: the plan, what is left of it, or the fallback shown."""

from __future__ import annotations

from typing import Any

from firebreak.core.cloud_run.setting_names import is_final
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import SUCCESS, Change, Plan
from firebreak.core.incidents.incident import Incident


def is_approved(incident: Incident, plan: Plan) -> bool:
    """Whether a person approved this plan, what is left to write of theirs, or the fallback that they were shown."""
    if incident.answer is None or incident.plan is None:
        return False
    return plan.digest == incident.answer.digest or _is_rest(incident, plan) or _gives_way(incident, plan)


def _is_rest(incident: Incident, plan: Plan) -> bool:
    """Whether the plan is the approved one without what was carried out of it, or came to its end by itself."""
    if incident.plan is None or incident.answer is None or incident.plan.digest != incident.answer.digest:
        return False
    over = {(one.target, one.surface) for one in incident.outcomes if one.status == SUCCESS}
    over |= {(one.target.key, one.surface) for one in plan.changes if not one.after and is_final(f"{one.surface}.")}
    due = [one for one in incident.plan.changes if (one.target.key, one.surface) not in over]
    return all(one in plan.changes for one in due) and all(one in due for one in plan.changes if one.after)


def _gives_way(incident: Incident, plan: Plan) -> bool:
    """Whether just the fallback is written where a change failed, and elsewhere nothing but what was shown."""
    shown = incident.plan or Plan((), ())
    failed = {_part(incident, one.target) for one in shown.changes if incident.failed_for(one.target)}
    instead = [_told(one) for one in shown.fallback if _part(incident, one.target) in failed]
    here = [_told(one) for one in plan.changes if _part(incident, one.target) in failed]
    rest = [_told(one) for one in shown.changes if _part(incident, one.target) not in failed]
    elsewhere = [_told(one) for one in plan.changes if _part(incident, one.target) not in failed and one.after]
    return bool(failed) and here == instead and all(one in rest for one in elsewhere)


def _part(incident: Incident, target: Target) -> str:
    """Which part of a plan gives way as one: each region by itself, the accounts with the finding's own target."""
    own = incident.finding.target
    return own.key if target.kind == "service_account" and isinstance(own, Target) else target.key


def _told(change: Change) -> tuple[Any, ...]:
    """What a person was shown of a change."""
    return change.target.key, change.surface, dict(change.after), change.actions
