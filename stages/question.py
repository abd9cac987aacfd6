"""Questions to people: a digest, how long it stands, and what an approval would answer."""

from __future__ import annotations

from dataclasses import replace

from app import App
from core.incident import Question
from core.instants import NANOS
from core.mode import Cap, Mode
from core.plan import Plan
from core.policy import Policy
from ledger import Held
from stages.announce import channels


def ask(app: App, held: Held, policy: Policy, plan: Plan, caps: tuple[Cap, ...], why: str) -> Held:
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
    question = Question(plan.digest, now, now + policy.approve_within * NANOS, cautions, asked_before)
    asking = replace(
        incident, phase="waiting", plan=plan, decision=decision, question=question, answer=None, operation=None
    )
    told = asking.told(now, "firebreak", f"asks a person: {why}")
    return app.ledger.save(held, told.announcing(channels(app)))
