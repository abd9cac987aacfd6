"""What is done with one finding: from the phase that is saved, decided, and carried out as far as its mode goes."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.containment.plan import Plan
from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Notification
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.incident import evidence_record
from firebreak.core.incidents.phase import SETTLED, Phase
from firebreak.core.mode import Cap, Mode
from firebreak.core.policy.policy import Policy
from firebreak.core.policy.triage import reason_to_decline, settled_in_scc
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.containment.contain import contain
from firebreak.response.containment.holds import policy_of, resting
from firebreak.response.decision.confirm import Confirmed, confirm
from firebreak.response.decision.decide import UNREACHABLE_FOR_NS, Decided, decide
from firebreak.response.evidence.collector import beside
from firebreak.response.triggers.question import ask

ASK_AGAIN_NS = 300 * NANOS
"""How long the sweep waits before it asks SCC once more about a finding that SCC did not hold."""
_UNVERIFIED_FOR_NS = 24 * 3600 * NANOS


def proceed(app: App, held: StoredIncident, notification: Notification, deadline: Deadline) -> StoredIncident:
    """Go on from the phase that is saved; a settled incident has nothing left but its outbox."""
    reason = reason_to_decline(notification, app.policies)
    phase = held.incident.phase
    if held.joined:
        return _another_event(app, held, notification, reason, deadline)
    if phase == "declined" and reason is None and not _was_decided(held):
        reopened = replace(held.incident, phase="received").with_history(
            app.now_ns(), "firebreak", "SCC published it again"
        )
        return _decide(app, app.ledger.save(held, reopened), notification, deadline)
    if phase == "monitored" and reason is None and held.incident.next_ns is not None:
        return ask_scc_again(app, held, deadline)[0]
    if phase in SETTLED:
        return held
    if phase == "received":
        return end(app, held, "declined", reason) if reason else _decide(app, held, notification, deadline)
    return resume(app, held, deadline)


def ask_scc_again(app: App, held: StoredIncident, deadline: Deadline) -> tuple[StoredIncident, str | None]:
    """SCC did not hold the finding: decided anew once it does, given up after a day."""
    incident = held.incident
    confirmed = confirm(app, incident.finding, deadline)
    if confirmed.trust == "confirmed":
        again = replace(incident, phase="received", next_ns=None, decision=None)
        held = app.ledger.save(held, again.with_history(app.now_ns(), "firebreak", "SCC holds the finding now"))
        return proceed(app, held, Notification(incident.finding, deleted=False), deadline), "confirmed late"
    if app.now_ns() - incident.created_ns < _UNVERIFIED_FOR_NS:
        return app.ledger.save(held, replace(incident, next_ns=app.now_ns() + ASK_AGAIN_NS)), None
    told = incident.with_history(app.now_ns(), "firebreak", f"given up after a day: {confirmed.reason}")
    return app.ledger.save(held, replace(told, next_ns=None)), "given up"


def _was_decided(held: StoredIncident) -> bool:
    """Whether a decision, and not a look at the message alone, declined it."""
    return held.incident.decision is not None


def _another_event(
    app: App, held: StoredIncident, notification: Notification, reason: str | None, deadline: Deadline
) -> StoredIncident:
    """A further event of an open incident: told on its record, and decided anew where nothing is under way.

    The two are saved together: an event that was only told would be taken for one that was decided.
    """
    event, incident = notification.finding.incident_id, held.incident
    known = any(entry.what.startswith(f"event {event}") for entry in incident.history)
    if not known:
        told = incident.with_history(app.now_ns(), "firebreak", f"event {event} of the same finding{_why(reason)}")
        held = replace(held, incident=told)
    anew = incident.phase == "received" or (incident.phase in ("contained", "failed") and not known)
    if anew and reason is None:
        return _decide(app, held, notification, deadline)
    if known and incident.phase in SETTLED:
        return held
    held = app.ledger.save(held, held.incident)
    return held if anew or incident.phase in SETTLED else resume(app, held, deadline)


def _why(reason: str | None) -> str:
    return f": {reason}" if reason else ""


def _decide(app: App, held: StoredIncident, notification: Notification, deadline: Deadline) -> StoredIncident:
    confirmed = confirm(app, notification.finding, deadline)
    if confirmed.trust == "unreachable" and app.now_ns() - held.claimed_ns < UNREACHABLE_FOR_NS:
        message = f"SCC cannot be asked about the finding: {confirmed.reason}"
        raise Transient(message)
    if confirmed.trust == "confirmed" and (settled := settled_in_scc(confirmed.finding)):
        return end(app, held, "declined", settled)
    decided = decide(app, held, confirmed, deadline)
    with beside(app, held, notification, confirmed.finding, decided, deadline) as collecting:
        held = _act(app, held, decided, deadline)
    held = _complete(held, decided, confirmed)
    return collecting.finish(held, decided.gathering.evidence, deadline)


def _act(app: App, held: StoredIncident, decided: Decided, deadline: Deadline) -> StoredIncident:
    """Carry the decision out as far as its mode goes."""
    incident, policy = decided.incident, decided.policy
    decision, plan = incident.decision, incident.plan
    if policy is None or decision is None or plan is None:
        return end(app, replace(held, incident=incident), "declined", "no policy matches")
    why = decision.because
    if decision.mode is Mode.MONITOR:
        return _monitored(app, replace(held, incident=incident), decision.caps, why)
    held = replace(held, incident=incident)
    if decision.mode is Mode.APPROVE and not _nothing_new(plan):
        return _ask_or_fail(app, held, policy, plan, why)
    if not plan.changes:
        return end(app, held, "failed", _refusals(plan))
    # What a person said of an earlier plan approves nothing of this one.
    begun = replace(incident, phase="containing", answer=None)
    told = begun.with_history(app.now_ns(), "firebreak", f"policy {policy.id} decides: {why}")
    return contain(app, app.ledger.save(held, told), policy, deadline)


def _monitored(app: App, held: StoredIncident, caps: tuple[Cap, ...], why: str) -> StoredIncident:
    """Only recorded. Where SCC did not hold the finding, the sweep asks again."""
    if any(cap.name == "unverified" for cap in caps):
        held = replace(held, incident=replace(held.incident, next_ns=app.now_ns() + ASK_AGAIN_NS))
    return end(app, held, "monitored", f"the plan is recorded and nothing is written: {why}")


def _nothing_new(plan: Plan) -> bool:
    """A plan that was drawn whole and would write nothing needs no question."""
    return bool(plan.changes) and not plan.writes and not any(one.kind == "fault" for one in plan.refusals)


def _ask_or_fail(app: App, held: StoredIncident, policy: Policy, plan: Plan, why: str) -> StoredIncident:
    decision = held.incident.decision
    caps = decision.caps if decision else ()
    lacking = any(cap.name in ("evidence", "unplaced") for cap in caps)
    if not plan.changes and not lacking:
        return end(app, held, "failed", _refusals(plan))
    return ask(app, held, policy, plan, caps, why)


def _refusals(plan: Plan) -> str:
    reasons = "; ".join(f"{one.action}: {one.reason}" for one in plan.refusals)
    return f"nothing can be done: {reasons}" if reasons else "the policy has nothing to do here"


def _complete(held: StoredIncident, decided: Decided, confirmed: Confirmed) -> StoredIncident:
    """Add what the sources said after the decision, for the people who read the record; saved with the evidence."""
    if not decided.gathering.outstanding:
        return held
    evidence = decided.gathering.rest()
    shown = tuple(evidence_record(one) for one in evidence)
    verdict = assess(confirmed.finding, evidence)
    return replace(held, incident=replace(held.incident, evidence=shown, verdict=verdict))


def resume(app: App, held: StoredIncident, deadline: Deadline) -> StoredIncident:
    """Go on with a plan that was saved and not finished."""
    policy = policy_of(app, held.incident)
    if policy is None:
        return end(app, held, "failed", "the policy that decided does not exist any more")
    return contain(app, held, policy, deadline)


def end(app: App, held: StoredIncident, phase: Phase, what: str) -> StoredIncident:
    """Save where the incident comes to rest, with its announcement; what is held stays contained."""
    told = held.incident.with_history(app.now_ns(), "firebreak", what)
    return app.ledger.save(held, resting(app, told, phase).with_announcements(channels(app)))
