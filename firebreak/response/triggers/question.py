"""Questions to people: a digest, how long it stands, and what an approval would answer."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.containment.plan import Plan
from firebreak.core.errors import Refused
from firebreak.core.incidents.incident import Incident, Question
from firebreak.core.mode import Cap, Mode
from firebreak.core.policy.policy import Policy
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import channels_in_a_storm
from firebreak.response.app import App
from firebreak.response.containment.verify import redraw

MOST_ESCALATIONS = 3


def ask(
    app: App, held: StoredIncident, policy: Policy, plan: Plan, caps: tuple[Cap, ...], why: str, escalated: int = 0
) -> StoredIncident:
    """Save the plan as a question, with its announcement; an earlier approval no longer counts."""
    now = app.now_ns()
    incident = held.incident
    decision = incident.decision
    if decision is not None:
        known = {cap.name for cap in decision.caps}
        more = tuple(cap for cap in caps if cap.name not in known)
        decision = replace(decision, mode=min(decision.mode, Mode.APPROVE), caps=(*decision.caps, *more))
    before = incident.question
    asked_before = (*before.asked_before, before.digest) if before and before.digest != plan.digest else ()
    cautions = tuple(cap.name for cap in (decision.caps if decision else caps))
    expires = now + policy.approve_within * NANOS
    question = Question(plan.digest, now, expires, cautions, asked_before, escalated)
    asking = replace(
        incident,
        phase="waiting",
        plan=plan,
        decision=decision,
        question=question,
        answer=None,
        operation=None,
        next_ns=expires,
    )
    told = asking.with_history(now, "firebreak", f"asks a person: {why}")
    return app.ledger.save(held, told.with_announcements(channels_in_a_storm(app, told)))


def ask_anew(
    app: App, held: StoredIncident, policy: Policy, why: str, deadline: Deadline, escalated: int = 0
) -> StoredIncident:
    """Ask on a fresh look, showing what has changed since; where that cannot be had, the plan as it was shown."""
    incident = held.incident
    caps = incident.decision.caps if incident.decision else ()
    shown = incident.plan or Plan((), ())
    if isinstance(incident.finding.target, NotATarget):
        return ask(app, held, policy, shown, caps, why, escalated)
    try:
        plan = redraw(app, incident, policy, deadline)
    except Refused as fault:
        return ask(app, held, policy, shown, caps, f"{why}; the target could not be read anew: {fault}", escalated)
    return ask(app, held, policy, plan, caps, f"{why}{difference(incident, plan)}", escalated)


def difference(incident: Incident, plan: Plan) -> str:
    """How the plan differs from the one that was shown, for a sentence; empty if it does not."""
    if incident.plan is None or incident.plan.digest == plan.digest:
        return ""
    before, after = (dict(_settings(incident, one)) for one in (incident.plan, plan))
    differ = [
        f"{key}: {before.get(key, 'unchanged')}, now {after.get(key, 'unchanged')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
    return f"; the plan is another: {'; '.join(differ) or 'what it rests on has changed'}"


def _settings(incident: Incident, plan: Plan) -> list[tuple[str, str]]:
    return [
        (f"{incident.place_of(change.target)}{key}", f"{change.before[key]} to {change.after[key]}")
        for change in plan.changes
        for key in change.after
    ]
