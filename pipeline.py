"""The story of an incident: respond to a finding, approve or reject its question, release what it holds."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.deadline import Deadline
from app import App
from core.errors import Transient
from core.finding import Notification, parse_notification
from core.incident import SETTLED, Answer, Phase, asked
from core.intake import reason_to_decline, settled_in_scc
from core.mode import Mode
from core.plan import Plan
from core.policy import Policy
from core.verdict import assess
from ledger import Held
from stages.announce import channels, flush
from stages.contain import contain
from stages.decide import UNREACHABLE_FOR_NS, Confirmed, Decided, confirm, decide
from stages.question import ask
from stages.release import release as restore

BUDGET_SECONDS = 100.0
_RELEASABLE: frozenset[Phase] = frozenset({"contained", "failed", "containing", "verifying"})


def respond(app: App, data: bytes, budget: float = BUDGET_SECONDS) -> Held:
    """Answer one Pub/Sub message within `budget` seconds.

    Raises Malformed for the dead-letter road, Transient for another delivery.
    """
    app = _as_one_worker(app)
    deadline = Deadline.after(budget)
    notification = parse_notification(data)
    held = app.ledger.claim(notification.finding)
    try:
        held = _proceed(app, held, notification, deadline)
        held = flush(app, held, deadline)
    except Transient:
        _give_up_lease(app, held)
        raise
    return app.ledger.free(held, held.incident) if held.incident.owner else held


def _as_one_worker(app: App) -> App:
    """A token of its own for each message and command: threads of one process are as strange to each other as any."""
    return replace(app, ledger=replace(app.ledger, owner=uuid.uuid4().hex))


def _proceed(app: App, held: Held, notification: Notification, deadline: Deadline) -> Held:
    """Go on from the phase that is saved; a settled incident has nothing left but its outbox."""
    reason = reason_to_decline(notification, app.policies.policies, app.policies.charter.organization)
    phase = held.incident.phase
    if held.joined:
        return _another_event(app, held, notification, reason, deadline)
    if phase == "declined" and reason is None and not _was_decided(held):
        reopened = replace(held.incident, phase="received").told(app.now_ns(), "firebreak", "SCC published it again")
        return _decide(app, app.ledger.save(held, reopened), notification, deadline)
    if phase in SETTLED:
        return held
    if phase == "received":
        return _end(app, held, "declined", reason) if reason else _decide(app, held, notification, deadline)
    return _resume(app, held, deadline)


def _was_decided(held: Held) -> bool:
    """Whether a decision, and not a look at the message alone, declined it."""
    return held.incident.decision is not None


def _another_event(app: App, held: Held, notification: Notification, reason: str | None, deadline: Deadline) -> Held:
    """A further event of an open incident: told on its record, and decided anew where nothing is under way."""
    event = notification.finding.incident_id
    if any(entry.what.startswith(f"event {event}") for entry in held.incident.history):
        return held
    told = held.incident.told(app.now_ns(), "firebreak", f"event {event} of the same finding{_why(reason)}")
    held = app.ledger.save(held, told)
    if reason is None and held.incident.phase in ("contained", "failed"):
        return _decide(app, held, notification, deadline)
    return held if held.incident.phase in SETTLED else _resume(app, held, deadline)


def _why(reason: str | None) -> str:
    return f": {reason}" if reason else ""


def _decide(app: App, held: Held, notification: Notification, deadline: Deadline) -> Held:
    confirmed = confirm(app, notification.finding, deadline)
    if confirmed.trust == "unreachable" and app.now_ns() - held.incident.created_ns < UNREACHABLE_FOR_NS:
        message = f"SCC cannot be asked about the finding: {confirmed.reason}"
        raise Transient(message)
    if confirmed.trust == "confirmed" and (settled := settled_in_scc(confirmed.finding)):
        return _end(app, held, "declined", settled)
    decided = decide(app, held, confirmed, deadline)
    held = _act(app, held, decided, deadline)
    return _complete(app, held, decided, confirmed)


def _act(app: App, held: Held, decided: Decided, deadline: Deadline) -> Held:
    """Carry the decision out as far as its mode goes."""
    incident, policy = decided.incident, decided.policy
    decision, plan = incident.decision, incident.plan
    held = replace(held, incident=incident)
    if policy is None or decision is None or plan is None:
        return _end(app, held, "declined", "no policy matches")
    why = "; ".join(cap.reason for cap in decision.caps) or "; ".join(decision.reasons)
    if decision.mode is Mode.MONITOR:
        return _end(app, held, "monitored", f"the plan is recorded and nothing is written: {why}")
    if decision.mode is Mode.APPROVE and not _nothing_new(plan):
        return _ask_or_fail(app, held, policy, plan, why)
    if not plan.changes:
        return _end(app, held, "failed", _refusals(plan))
    begun = replace(incident, phase="containing").told(app.now_ns(), "firebreak", f"policy {policy.id} decides: {why}")
    return contain(app, app.ledger.save(held, begun), policy, deadline)


def _nothing_new(plan: Plan) -> bool:
    """A plan that was drawn and would write nothing needs no question."""
    return bool(plan.changes) and not plan.writes


def _ask_or_fail(app: App, held: Held, policy: Policy, plan: Plan, why: str) -> Held:
    decision = held.incident.decision
    caps = decision.caps if decision else ()
    lacking = any(cap.name in ("evidence", "unplaced") for cap in caps)
    if not plan.changes and not lacking:
        return _end(app, held, "failed", _refusals(plan))
    return ask(app, held, policy, plan, caps, why)


def _refusals(plan: Plan) -> str:
    reasons = "; ".join(f"{one.action}: {one.reason}" for one in plan.refusals)
    return f"nothing can be done: {reasons}" if reasons else "the policy has nothing to do here"


def _complete(app: App, held: Held, decided: Decided, confirmed: Confirmed) -> Held:
    """Add what the sources said after the decision, for the people who read the record."""
    if not decided.gathering.outstanding:
        return held
    evidence = decided.gathering.rest()
    shown = tuple(asked(one) for one in evidence)
    verdict = assess(confirmed.finding, evidence)
    return app.ledger.save(held, replace(held.incident, evidence=shown, verdict=verdict))


def _resume(app: App, held: Held, deadline: Deadline) -> Held:
    """Go on with a plan that was saved and not finished."""
    policy = _policy_of(app, held)
    if policy is None:
        return _end(app, held, "failed", "the policy that decided does not exist any more")
    return contain(app, held, policy, deadline)


def _policy_of(app: App, held: Held) -> Policy | None:
    decision = held.incident.decision
    return next((one for one in app.policies.policies if decision and one.id == decision.policy), None)


def _end(app: App, held: Held, phase: Phase, what: str) -> Held:
    incident = replace(held.incident, phase=phase).told(app.now_ns(), "firebreak", what)
    return app.ledger.save(held, incident.announcing(channels(app)))


def _give_up_lease(app: App, held: Held) -> None:
    """Let the next delivery go on at once; if even that cannot be saved, the lease runs out by itself."""
    try:
        latest = app.ledger.read(held.incident.id)
        if latest is not None and latest.incident.owner == app.ledger.owner:
            app.ledger.free(latest, latest.incident)
    except Transient:
        app.say("WARNING", "the lease could not be given up; it runs out by itself", incident=held.incident.id)


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a person's command: done or not, and a sentence that says so."""

    done: bool
    says: str
    held: Held


Command = Callable[[App, Held, Deadline], Answered]


def approve(app: App, incident_id: str, by: str, digest: str | None = None) -> Answered | None:
    """Approve the open question's digest and contain; None if there is no such incident."""
    return _command(app, incident_id, lambda own, held, deadline: _approve(own, held, by, digest, deadline))


def _approve(app: App, held: Held, by: str, digest: str | None, deadline: Deadline) -> Answered:
    incident, now = held.incident, app.now_ns()
    question, policy = incident.question, _policy_of(app, held)
    if incident.phase != "waiting" or question is None:
        return Answered(done=False, says=f"nothing is asked: the incident is {incident.phase}", held=held)
    if policy is None:
        return Answered(done=False, says="the policy that asked does not exist any more", held=held)
    if digest is not None and not question.digest.startswith(digest):
        return Answered(done=False, says=f"the question is about {question.digest[:12]}, not {digest[:12]}", held=held)
    if incident.plan is None or not incident.plan.changes:
        return Answered(done=False, says="there is nothing to approve: the question carries no change", held=held)
    if now >= question.expires_ns:
        held = _ask_anew(app, held, policy)
        return Answered(done=False, says="the question had expired; it is asked again on a fresh look", held=held)
    answer = Answer(question.digest, by, now, question.cautions)
    answered = replace(incident, phase="containing", answer=answer)
    held = app.ledger.save(held, answered.told(now, by, f"approved {question.digest[:12]}"))
    held = contain(app, held, policy, deadline)
    done = held.incident.phase == "contained"
    return Answered(done=done, says=held.incident.history[-1].what, held=held)


def _ask_anew(app: App, held: Held, policy: Policy) -> Held:
    plan = held.incident.plan or Plan((), ())
    caps = held.incident.decision.caps if held.incident.decision else ()
    return ask(app, held, policy, plan, caps, "the question had expired before it was answered")


def reject(app: App, incident_id: str, by: str, reason: str) -> Answered | None:
    """Answer the open question with no; None if there is no such incident."""
    return _command(app, incident_id, lambda own, held, _: _reject(own, held, by, reason))


def _reject(app: App, held: Held, by: str, reason: str) -> Answered:
    if held.incident.phase != "waiting":
        return Answered(done=False, says=f"nothing is asked: the incident is {held.incident.phase}", held=held)
    told = replace(held.incident, phase="rejected", question=None).told(app.now_ns(), by, f"rejected: {reason}")
    return Answered(done=True, says="rejected", held=app.ledger.save(held, told.announcing(channels(app))))


def release(app: App, incident_id: str, by: str) -> Answered | None:
    """Take the incident's hold away and restore what it set; a person's release passes every guard."""
    return _command(app, incident_id, lambda own, held, deadline: _release(own, held, by, deadline))


def _release(app: App, held: Held, by: str, deadline: Deadline) -> Answered:
    if held.incident.phase not in _RELEASABLE and held.incident.release is None:
        return Answered(done=False, says=f"nothing is contained: the incident is {held.incident.phase}", held=held)
    held = restore(app, held, by, deadline)
    return Answered(done=True, says="released", held=held)


def _command(app: App, incident_id: str, act: Command) -> Answered | None:
    """Own the incident, act, tell, and let it go; raises Transient while somebody else works on it."""
    app = _as_one_worker(app)
    deadline = Deadline.after(BUDGET_SECONDS)
    held = app.ledger.take(incident_id)
    if held is None:
        return None
    try:
        answered = act(app, held, deadline)
        held = flush(app, answered.held, deadline)
    except Exception:
        _give_up_lease(app, held)
        raise
    return replace(answered, held=app.ledger.free(held, held.incident))
