"""The loop: triggers add facts to an incident, and this makes the next move until it rests or has to wait.

There is no other road to a write: a message, an answer, an expiry and a sweep all come through here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Literal

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.next_move import next_move
from firebreak.core.containment.plan import SUCCESS, Plan
from firebreak.core.errors import Transient
from firebreak.core.findings.notification import Notification
from firebreak.core.incidents.event import Event, told_event
from firebreak.core.incidents.incident import MOST_EVENTS, Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.question import MOST_ESCALATIONS, Answer, shown_digest
from firebreak.core.incidents.still_open import undone
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import Policy
from firebreak.core.policy.triage import reason_to_decline, settled_in_scc
from firebreak.ledger.documents import Conflict
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.carry import ask_about_events, carry
from firebreak.response.confirm import Confirmed, confirm
from firebreak.response.decide import Decided, all_suspects, decide
from firebreak.response.draw import latest
from firebreak.response.evidence.collector import Collecting
from firebreak.response.move import settle_own
from firebreak.response.observe import Gathering, gather
from firebreak.response.readings import Away, Readings, note_away
from firebreak.response.release import carry_release
from firebreak.response.rest import ASK_AGAIN_NS, GIVEN_UP_NS, UNANSWERED, ask, defer, end
from firebreak.response.set_aside import set_aside
from firebreak.response.shadow import with_shadow

Step = Literal["release", "decide", "carry"]
_TURNS = 40


def advance(app: App, held: StoredIncident, collecting: Collecting, deadline: Deadline) -> StoredIncident:
    """Carry an incident, with the events that came to it, on until it rests.

    Raises Transient to be called again, with all that happened saved.
    """
    if not held.sealed:
        return _broken(app, held)
    readings = Readings(app, held.incident, deadline)
    vain = most = 0
    while vain < _TURNS:
        step = next_step(held.incident, app.now_ns())
        if step is None:
            return held
        try:
            held = _take(step, app, held, readings, collecting)
        except Away as away:
            note_away(held, away, readings)
            raise
        except Conflict as fault:
            if fault.kind == "incident" or deadline.passed or readings.lost_another():
                raise
            held = latest(app, held)  # others came to stand there, or went, since it was read: look again
        readings.forget_standings()
        if next_step(held.incident, app.now_ns()) != "carry":
            held = consume(app, held)
        done = _done(held.incident)
        vain, most = (0, done) if done > most else (vain + 1, most)
        if held.incident.phase == "deferred" and not held.incident.releasing:
            return held  # looked at once in each turn, whatever is due
        if deadline.passed and next_step(held.incident, app.now_ns()) is not None:
            message = "there was no time left; it is carried on"
            raise Transient(message)
    return end(app, held, "failed", "the settings keep changing under the plan; nothing more is tried", readings)


def _done(incident: Incident) -> int:
    """How much of it was carried out, or given back: while that grows no turn is in vain, whatever the targets."""
    made = sum(one.status == SUCCESS for one in incident.outcomes)
    return made + sum(one.result != "due" for one in (incident.release.keys if incident.release else ()))


def _take(step: Step, app: App, held: StoredIncident, readings: Readings, collecting: Collecting) -> StoredIncident:
    if step == "release":
        return carry_release(app, held, readings)
    if step == "carry":
        return carry(app, held, readings)
    return _decide(app, held, readings, collecting)


def next_step(incident: Incident, now_ns: int) -> Step | None:
    """What is to be done next, by what the incident says; None where it rests."""
    phase = incident.phase
    if incident.releasing:
        return "release"
    if not incident.open:
        return None
    if phase in ("containing", "verifying"):
        return "carry"
    if incident.undecided or phase == "received":
        return "decide"
    due = incident.next_ns is not None and incident.next_ns <= now_ns and phase in ("deferred", "waiting")
    return "decide" if due or any(one.unheld and one.again_ns <= now_ns for one in incident.events) else None


def consume(app: App, held: StoredIncident) -> StoredIncident:
    """Take the events that came onto the record, unsaved: the next save has them."""
    incident = held.incident
    if not incident.open:
        return held
    known = {one.id for one in incident.events}
    told = app.ledger.events_of(incident.id, lambda fault: set_aside(app, fault))
    new = [one for one in told if one.id not in known]
    if not new or incident.full:
        return held
    events = list(incident.events)
    for one in new[: MOST_EVENTS - len(events)]:
        events.append(told_event(one.finding, one.seen_ns))
        if one.id != incident.id:
            incident = incident.with_history(app.now_ns(), "firebreak", f"event {one.id} of the same finding")
    incident = replace(incident, events=tuple(events))
    if incident.full:
        full = f"{MOST_EVENTS} events are on record: a further one begins another incident"
        incident = incident.with_history(app.now_ns(), "firebreak", full)
    return replace(held, incident=incident)


def _broken(app: App, held: StoredIncident) -> StoredIncident:
    """What somebody without the key has changed is not carried out."""
    what = "the record's seal is broken: it is not executed; see the lines for doing it by hand"
    app.log("ERROR", f"incident {held.incident.id}: {what}", incident=held.incident.id)
    if held.incident.phase not in ("containing", "verifying", "received"):
        return held
    return end(app, held, "failed", what)


def _decide(app: App, held: StoredIncident, readings: Readings, collecting: Collecting) -> StoredIncident:
    before, now = held.incident, app.now_ns()
    if before.phase == "deferred" and not before.undecided and before.begun:
        # What was carried out in part is carried on with, under the digest that it had; the gate is asked anew.
        return app.ledger.save(held, replace(before, phase="containing"))
    asked = _asked_at_once(app, before, readings)
    held = settle_own(app, held, readings)
    before = held.incident
    confirmed = confirm(before, readings)
    if asked is not None and confirmed.trust == "confirmed" and confirmed.finding == asked.finding:
        app.ahead.confirmed()
    if confirmed.trust == "confirmed" and confirmed.finding.incident_id != before.id and not before.full:
        with suppress(NotActedOn):  # also where no message told of it: no other incident decides it again
            app.ledger.hear(confirmed.finding)
    held = replace(held, incident=replace(before, events=_given_up(confirmed.events, now)))
    expired = before.phase == "waiting" and before.question is not None and before.question.expires_ns <= now
    asks_anew = before.phase in ("received", "deferred") or expired
    if not asks_anew and not held.incident.undecided:
        return ask_about_events(app, app.ledger.save(held, held.incident), readings)
    fresh = before.phase != "received" or before.decision is None
    if fresh and (over := _over(app, held, confirmed)) is not None:
        return over
    asks = expired or (before.answer is not None and before.phase == "received")
    at_most = Mode.APPROVE if asks else Mode.ENFORCE
    if isinstance(confirmed.finding.target, Target):
        readings.suspicions_on(confirmed.finding.target)  # while the sources still answer
    decided = decide(app, held.incident, confirmed, readings, asked=asked, at_most=at_most)
    shadowed = with_shadow(app, decided.incident, decided) if app.policies.shadowed else decided.incident
    held = replace(held, incident=shadowed)
    collecting.begin(held, confirmed, decided)
    if confirmed.trust == "elsewhere":
        held = end(app, held, "declined", confirmed.reason, readings)
    else:
        held = _act(app, held, decided, readings, expired=expired)
    return ask_about_events(app, held, readings)


def _asked_at_once(app: App, incident: Incident, readings: Readings) -> Gathering | None:
    """The sources, beside SCC: about a new finding of ours, as its message tells it, while few are made up."""
    told = incident.finding
    new = incident.phase == "received" and incident.decision is None and told.organization is not None
    declined = reason_to_decline(Notification(told, deleted=False), app.policies)
    return gather(app, told, readings) if new and declined is None and app.ahead.begins(app.now_ns()) else None


def _given_up(events: tuple[Event, ...], now_ns: int) -> tuple[Event, ...]:
    """What SCC does not hold is asked about again; what it did not come to hold within a day was never an event."""
    return tuple(
        replace(one, decided=now_ns - one.seen_ns >= GIVEN_UP_NS, again_ns=now_ns + ASK_AGAIN_NS) if one.unheld else one
        for one in events
    )


def _over(app: App, held: StoredIncident, confirmed: Confirmed) -> StoredIncident | None:
    """Where SCC has judged the finding, or still does not hold what was waited for, nothing else need be asked."""
    incident = held.incident
    settled = settled_in_scc(confirmed.finding) if confirmed.trust == "confirmed" else None
    unheld = confirmed.reason if confirmed.trust in ("missing", "older") else None
    reason = settled or unheld
    if reason is None:
        return None
    first = incident.decision is None
    if settled and first and not app.ledger.stands(incident):
        return end(app, replace(held, incident=incident.with_events_decided()), "declined", settled)
    if first or app.ledger.stands(incident):
        return None
    return defer(app, held, "settled" if settled else "unverified", reason)


def _act(app: App, held: StoredIncident, decided: Decided, readings: Readings, *, expired: bool) -> StoredIncident:
    """Carry the decision out as far as the gate lets it."""
    incident, policy, ruling = held.incident, decided.policy, decided.ruling
    decision, plan = incident.decision, incident.plan
    if policy is None or decision is None or plan is None:
        return end(app, held, "declined", "no policy matches", readings)
    why = decision.because
    # Asked first of what was seen, so that what stands is read only where nothing leads to a suspect.
    unreferred = decided.around.unreferred(incident.id)
    move = next_move(ruling, plan, decided.around, "" if unreferred and app.ledger.stands(incident) else unreferred)
    if move == "wait":
        bar = next(cap for cap in ruling.caps if cap.kind == "bar")
        return defer(app, held, bar.name, bar.reason)
    if move in ("ask", "nothing can be done") and not plan.changes:
        held = replace(held, incident=_with_undone(incident, plan))
    if move == "ask":
        untold = (undone((one.action,), one.reason) for one in plan.undone if one.reason not in why)
        return _asked(app, held, decided, policy, "; ".join((why, *untold)), expired=expired)
    ends: dict[str, tuple[Phase, str]] = {
        "record": ("monitored", f"the plan is recorded and nothing is written: {why}"),
        "nothing to contain": ("declined", f"nothing to contain: nothing leads to {unreferred}"),
        "nothing can be done": ("failed", _refusals(plan)),
    }
    if move in ends:
        return end(app, held, *ends[move], readings)
    begun = replace(incident.with_plan(plan), phase="containing", waits=None, away={}, next_ns=None)
    if ruling.slots:  # what a person said of an earlier plan approves nothing of this one
        begun = replace(begun, answer=None)
    begun = begun.with_history(app.now_ns(), "firebreak", f"policy {policy.id} decides: {why}")
    return carry(app, replace(held, incident=begun), readings)  # saved with the hold, before anything is written


def _with_undone(incident: Incident, plan: Plan) -> Incident:
    """The incident with what a plan that changes nothing leaves open, beside what is open on what stands."""
    before = incident.still_open if incident.stands else ()
    left = (undone((one.action,), one.reason) for one in plan.undone)
    return replace(incident, still_open=tuple(dict.fromkeys((*before, *left))))


def _asked(
    app: App, held: StoredIncident, decided: Decided, policy: Policy, why: str, *, expired: bool
) -> StoredIncident:
    """Ask, or ask again what expired: three times, unless the policy says to contain then."""
    question, plan, caps = held.incident.question, held.incident.plan or Plan((), ()), decided.ruling.caps
    if not expired or question is None:
        return ask(app, held, policy, plan, caps, decided.around, why)
    if answer := _by_expiry(app, held.incident, decided, policy):
        told = replace(held.incident, phase="containing", answer=answer, away={}, next_ns=None).with_history(
            app.now_ns(), "firebreak", "nobody answered in time; the policy says to contain then"
        )
        return app.ledger.save(held, told)
    if question.escalated < MOST_ESCALATIONS:
        again = question.escalated + 1
        why = f"nobody answered in time; asked again, {again} of {MOST_ESCALATIONS}"
        return ask(app, held, policy, plan, caps, decided.around, why, escalated=again)
    return end(app, held, "expired", f"{UNANSWERED}; approving it later draws the plan anew")


def _by_expiry(app: App, incident: Incident, decided: Decided, policy: Policy) -> Answer | None:
    """Only where nothing but the policy's own mode asked, and only for what was shown the whole time."""
    decision, question, plan = incident.decision, incident.question, incident.plan
    if policy.on_expiry != "contain" or decision is None or question is None or plan is None:
        return None
    unknown = any(clause.get("value") is None for one in decision.trace for clause in one.get("clauses", ()))
    own = policy.mode is Mode.APPROVE and not decided.ruling.caps and not unknown
    shown = shown_digest(plan, all_suspects(incident, decided.around), incident.counting)
    same = question.shown == shown and not question.asked_before and not question.cautions
    if not own or not same or not plan.writes or app.ledger.stands(incident):
        return None
    return Answer(question.digest, "", app.now_ns(), (), shown)


def _refusals(plan: Plan) -> str:
    reasons = "; ".join(f"{one.action}: {one.reason}" for one in plan.refusals)
    return f"nothing can be done: {reasons}" if reasons else "the policy has nothing to do here"
