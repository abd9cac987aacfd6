"""Reading a target back, and waiting until what serves is what was written: a wish that stays one is a failure."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from adapters.deadline import Deadline
from app import App
from core.case import Case
from core.errors import Drifted, Failed, Refused, Unfinished
from core.incident import Incident
from core.openings import still_open
from core.plan import SUCCESS, Change, Outcome, Plan, draft, stands_at
from core.policy import Policy
from core.standing import Hold, Standing
from core.target import NotATarget, Target
from core.workload import Workload
from ledger import Held
from stages.decide import reread_case, wait_for_others

_SETTLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A fresh reading with the case it makes."""

    workload: Workload
    case: Case
    standing: Standing


def look(app: App, incident: Incident, target: Target, deadline: Deadline) -> Seen:
    """Read the target now; raises Missing, Denied, Transient, or BrokenSeal."""
    # What stands is read before the settings: whoever comes to stand in between is noticed when this incident does.
    standing, _ = app.ledger.standing(target.key)
    wait_for_others(app, incident, standing)
    workload = app.read(target, deadline.sooner(15))
    decision = incident.decision
    named = frozenset(decision.related_revisions if decision else ())
    case = reread_case(incident.finding, workload, named, standing, frozenset(incident.unsupported))
    # Who was suspect when the decision fell stays so, also once nothing leads there any more.
    return Seen(workload, case.also(frozenset(decision.suspects if decision else ())), standing)


def redraw(app: App, incident: Incident, policy: Policy, deadline: Deadline) -> Plan:
    """The policy's plan on a fresh look; raises Refused or Transient where there is none to be had."""
    target = incident.finding.target
    if isinstance(target, NotATarget):
        raise Refused(target.reason)
    seen = look(app, incident, target, deadline)
    failed = frozenset(incident.failed_actions)
    return draft(
        policy.then, seen.workload.state, seen.case, app.actions, policy_set=app.policies.digest, failed=failed
    )


def verify(app: App, held: Held, change: Change, seen: Seen, deadline: Deadline) -> Held:
    """Wait for the effective state to be what was written; a wish that does not come true is a failure."""
    until = deadline.sooner(_SETTLE_SECONDS)
    pause = 0.1
    while not (seen.workload.settled and in_force(app, seen.workload, change)):
        if until.remaining() < pause:
            if seen.workload.settled and not deadline.passed:
                message = "Cloud Run settled, but what serves is not what was written"
                raise Failed(message)
            raise Unfinished(held.incident.operation or "")
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
        seen = look(app, held.incident, change.target, deadline)
        if not stands_at(seen.workload.state, change.after):
            message = "somebody changed the settings while they took effect"
            raise Drifted(message)
    return _outcome(app, held, change, seen)


def in_force(app: App, workload: Workload, change: Change) -> bool:
    """Whether the change stands and what serves is what its settings say: the statuses, not the wish."""
    return stands_at(workload.state, change.after) and app.surfaces[change.surface].in_force(workload, change)


def _outcome(app: App, held: Held, change: Change, seen: Seen) -> Held:
    standing, document = app.ledger.standing(change.target.key)
    plan, now = held.incident.plan, app.now_ns()
    wait_for_others(app, held.incident, standing)
    if standing.holds:
        # Where another incident's containment stands and nothing new had to be closed, this one joins it as a hold.
        hold = Hold(held.incident.id, plan.steps if plan else (), seen.case.own, now)
        joined = standing.joined(hold).confirmed(seen.workload.state, now, seen.workload.updated_ns)
        app.ledger.stand(joined, document)
    detail = f"verified in effect: {keys(change)}" if change.after else "already so: nothing was written"
    always = (text for step in (plan.steps if plan else ()) for text in app.actions[step.action].leaves_open)
    left = tuple(dict.fromkeys((*still_open(seen.workload, seen.case), *always)))
    outcome = Outcome(change.surface, SUCCESS, detail, change.actions, left)
    incident = held.incident
    outcomes = (*(one for one in incident.outcomes if one.surface != change.surface or one.status != SUCCESS), outcome)
    return app.ledger.save(held, replace(incident, outcomes=outcomes, still_open=outcome.still_open, reopened=()))


def keys(change: Change) -> str:
    """The settings of a change, for a sentence."""
    return ", ".join(sorted(change.after)) or "no setting"
