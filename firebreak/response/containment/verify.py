"""Reading a target back, and waiting until what serves is what was written: a wish that stays one is a failure."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.actions.case import basis_of
from firebreak.core.actions.residual_exposure import still_open
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Hold
from firebreak.core.containment.drafting import settings_still_to_close
from firebreak.core.containment.plan import SUCCESS, Change, Outcome, Plan, apply_change, has_settings
from firebreak.core.errors import Drifted, Failed, Refused, Transient, Unfinished
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Policy
from firebreak.ledger.records import StoredIncident
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.decision.draw import draw
from firebreak.response.decision.look import Seen, known_of, look, look_with, wait_for_others

_SETTLE_SECONDS = 20.0


def redraw(app: App, incident: Incident, policy: Policy, deadline: Deadline) -> Plan:
    """The policy's plan on a fresh look; raises Refused or Transient where there is none to be had."""
    target = incident.finding.target
    if isinstance(target, NotATarget):
        raise Refused(target.reason)
    known = known_of(incident.decision, incident.unsupported)
    seen = look_with(app, incident, target, known, deadline)
    return draw(app, incident, policy, seen, replace(known, own=seen.case.suspicion), deadline).plan


def verify(app: App, held: StoredIncident, change: Change, seen: Seen, deadline: Deadline) -> StoredIncident:
    """Wait for the effective state to be what was written; a wish that does not come true is a failure."""
    backoff = Backoff(deadline.sooner(_SETTLE_SECONDS))
    while not (seen.workload.settled and in_force(app, seen.workload, change)):
        if not backoff.wait():
            # Only what had all the time to settle is a failure; where the delivery ends first, the next one looks on.
            if seen.workload.settled and backoff.until.at < deadline.at:
                message = "Cloud Run settled, but what serves is not what was written"
                raise Failed(message)
            raise Unfinished(held.incident.operation or "")
        seen = look(app, held.incident, change.target, deadline)
        if not has_settings(seen.workload.state, change.after):
            message = "somebody changed the settings while they took effect"
            raise Drifted(message)
    require_closed(app, held.incident, change, seen)
    return _outcome(app, held, change, seen)


def require_closed(app: App, incident: Incident, change: Change, seen: Seen) -> None:
    """Nothing may have come to lead to a suspect, or to be closed, since the draft; raises Drifted."""
    state, case = seen.workload.state, seen.case
    drafted = change.basis.get("references", [])
    leads = basis_of(case, apply_change(state, change), change.surface).get("references", drafted)
    new = [one for one in leads if one not in drafted]
    steps = incident.plan.steps_on(change.target) if incident.plan else ()
    if new := new or [*settings_still_to_close(change, steps, state, case, app.actions)]:
        message = f"what the steps have to close has grown since the plan was drafted: {', '.join(new)}"
        raise Drifted(message)


def in_force(app: App, workload: Workload, change: Change) -> bool:
    """Whether the change stands and what serves is what its settings say: the statuses, not the wish."""
    return has_settings(workload.state, change.after) and app.surfaces[change.surface].in_force(workload, change)


def _outcome(app: App, held: StoredIncident, change: Change, seen: Seen) -> StoredIncident:
    standing, document = app.ledger.standing(change.target)
    plan, now, incident = held.incident.plan or Plan((), ()), app.now_ns(), held.incident
    wait_for_others(app, incident, standing)
    if standing.holds:
        # Where another incident's containment stands and nothing new had to be closed, this one joins it as a hold.
        hold = Hold(incident.id, plan.steps_on(change.target), seen.case.own_suspects, now)
        joined = standing.with_hold(hold).with_confirmed_write(seen.workload.state, now, seen.workload.updated_ns)
        app.ledger.save_standing(joined, document)
        incident = incident.with_target(change.target)
    detail = f"verified in effect: {keys(change)}" if change.after else "already so: nothing was written"
    always = (text for step in plan.steps_on(change.target) for text in app.actions[step.action].leaves_open)
    left = tuple(dict.fromkeys((*opened(incident, seen), *always, *_shared(incident, change))))
    place = incident.place_of(change.target)
    outcome = Outcome(change.surface, SUCCESS, place + detail, change.actions, left, change.target.key)
    outcomes = (*(one for one in incident.outcomes if not _same(one, outcome)), outcome)
    incident = replace(incident, outcomes=outcomes, still_open=_still_open(outcomes), reopened=())
    return app.ledger.save(held, incident)


def opened(incident: Incident, seen: Seen) -> tuple[str, ...]:
    """What is still open on one target; where it is not the finding's own, each line says which."""
    targets = (*incident.targets, *(incident.plan.targets if incident.plan else ()))
    covered = frozenset(target.place for target in targets)
    place = incident.place_of(seen.workload.target)
    return tuple(f"{place}{line}" for line in still_open(seen.workload, seen.case, covered))


def looked_around(app: App, incident: Incident, deadline: Deadline) -> Incident:
    """The incident with what is open on the finding's own target, where the plan changed only others."""
    target = incident.finding.target
    if isinstance(target, NotATarget) or incident.plan is None or incident.plan.changes_to(target):
        return incident
    try:
        here = opened(incident, look(app, incident, target, deadline))
    except (Refused, Transient) as fault:
        here = (f"what is open on the {target.kind.replace('_', ' ')} itself could not be looked at: {fault}",)
    return replace(incident, still_open=tuple(dict.fromkeys((*here, *incident.still_open))))


def _shared(incident: Incident, change: Change) -> tuple[str, ...]:
    """Who else stopped with an account, as the question said it."""
    caps = incident.decision.caps if incident.decision and change.surface == IDENTITY and change.after else ()
    return tuple(cap.reason for cap in caps if cap.name == "shared")


def _same(one: Outcome, other: Outcome) -> bool:
    """Whether an earlier success is about the same surface of the same target."""
    return (one.target, one.surface, one.status) == (other.target, other.surface, SUCCESS)


def _still_open(outcomes: tuple[Outcome, ...]) -> tuple[str, ...]:
    """What is open on every target, as it was seen last."""
    last = {one.target: one.still_open for one in outcomes if one.status == SUCCESS}
    return tuple(dict.fromkeys(text for lines in last.values() for text in lines))


def keys(change: Change) -> str:
    """The settings of a change, for a sentence."""
    return ", ".join(sorted(change.after)) or "no setting"
