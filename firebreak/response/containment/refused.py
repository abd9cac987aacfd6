"""A change that was refused: what is in effect all the same, what the record says, and whether a hold is left."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.traffic_status import have_status
from firebreak.core.containment.plan import SUCCESS, Change, Outcome
from firebreak.core.errors import Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.containment.verify import in_force
from firebreak.response.decision.look import look


def took_effect(app: App, incident: Incident, change: Change, deadline: Deadline) -> bool:
    """Whether the change is in effect, however its operation ended; without a status the operation is believed."""
    if not have_status(change.after):
        return False
    try:
        return in_force(app, look(app, incident, change.target, deadline).workload, change)
    except (Refused, Transient):
        return False


def recorded(app: App, held: StoredIncident, change: Change, refusal: Refused, deadline: Deadline) -> StoredIncident:
    """The incident, unsaved, with the outcome of a refused change; its hold goes where nothing of it stands."""
    incident = held.incident
    detail = f"{incident.place_of(change.target)}{refusal}"
    outcome = Outcome(change.surface, refusal.status, detail, change.actions, (), change.target.key)
    known = replace(incident, outcomes=(*incident.outcomes, outcome), operation=None)
    known = known.with_history(app.now_ns(), "firebreak", f"{', '.join(change.actions)} failed: {refusal}")
    let_go(app, held, change, deadline)
    return replace(held, incident=known)


def let_go(app: App, held: StoredIncident, change: Change, deadline: Deadline) -> None:
    """Give the hold up again if nothing of the plan is in the settings: other changes of it may stand."""
    try:
        standing, document = app.ledger.standing(change.target)
    except NotActedOn:
        return
    if document is None or not standing.held_by(held.incident.id):
        return
    try:
        now = app.read(change.target, deadline.sooner(10)).state
    except (Refused, Transient):
        return
    plan = held.incident.plan
    here = (*(plan.changes_to(change.target) if plan else ()), change)
    wished = {key: value for one in here for key, value in one.after.items()}
    never = change.after and not any(now.get(key) == value for key, value in wished.items())
    made = (one.status == SUCCESS and one.target == change.target.key for one in held.incident.outcomes)
    if never and not any(made):
        pending = {key: value for key, value in standing.pending.items() if key not in wished}
        app.ledger.save_standing(replace(standing.without_hold(held.incident.id), pending=pending), document)
