"""The triggers: a message, a person's command, the sweep. Each adds a fact to an incident and has it carried on."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from functools import partial

from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import Notification, parse_notification
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.triage import reason_to_decline
from firebreak.ledger.events import HeardEvent
from firebreak.ledger.records import BrokenSeal, NotActedOn, StoredIncident, UnreadableRecord
from firebreak.ports.deadline import Deadline
from firebreak.response.advance import advance, consume
from firebreak.response.announce import Unsent, count_refused, flush
from firebreak.response.answers import answer
from firebreak.response.app import App
from firebreak.response.canaries import announce_canary
from firebreak.response.confirm import left_open
from firebreak.response.evidence.collector import Collecting
from firebreak.response.execute import execute_once
from firebreak.response.readings import Readings
from firebreak.response.rest import end
from firebreak.response.review import review_due
from firebreak.response.set_aside import not_due, set_aside
from firebreak.response.sweep import Swept, Tally, sweep_everything, what_came_of

BUDGET_SECONDS = 100.0


def respond(app: App, data: bytes, budget: float = BUDGET_SECONDS) -> StoredIncident:
    """Answer one Pub/Sub message within `budget` seconds.

    Raises Malformed for the dead-letter road, Transient for another delivery.
    """
    return answer_finding(app, parse_notification(data), Deadline.after(budget))


def answer_finding(app: App, told: Notification, deadline: Deadline) -> StoredIncident:
    """Note the event, own its incident, and carry it on until it rests; raises Transient."""
    app = as_one_worker(app)
    with app.queue.coming(app.ledger.owner, told.finding):
        return _answered(app, told, deadline)


def _answered(app: App, told: Notification, deadline: Deadline) -> StoredIncident:
    began_ns = app.now_ns()
    held = _heard(app, told.finding)
    collecting = Collecting(app, told, deadline)
    try:
        held = _taken_up(app, held, told, began_ns, deadline)
        held = advance(app, held, collecting, deadline)
        app.queue.passed(app.ledger.owner)
        held = _told(app, held, collecting, deadline)
    except Transient:
        give_up_lease(app, held)
        raise
    return app.ledger.release_lease(held, held.incident) if held.incident.owner else held


def _heard(app: App, finding: Finding) -> StoredIncident:
    """The event's incident, owned by us. A record that cannot be read, or believed, is set aside and begun anew.

    Raises NewerRecord: what a newer version saved is never written over.
    """
    try:
        held = app.ledger.claim(finding)
    except (UnreadableRecord, BrokenSeal) as fault:
        set_aside(app, fault)
        held = app.ledger.claim(finding, over=fault.document)
    held = held if held.fresh else consume(app, held)
    if late := _left_out(app, held, finding):
        app.ledger.release_lease(held, held.incident)
        held = _taken(app, app.ledger.move_event(late))
    return held


def _taken(app: App, identity: str) -> StoredIncident:
    held = _own(app, identity)
    if held is None:
        message = f"incident {identity} cannot be read back"
        raise Transient(message)
    return held


def _own(app: App, identity: str) -> StoredIncident | None:
    """The incident, ours, with the events that came to it; None if there is none, Transient if it is another's."""
    held = app.ledger.take(identity)
    return consume(app, held) if held else None


def _left_out(app: App, held: StoredIncident, finding: Finding) -> HeardEvent | None:
    """The event, where its incident has ended without it at this very moment, or has no room for it."""
    incident, event = held.incident, finding.incident_id
    known = any(one.id == event and (incident.open or one.status != "unconfirmed") for one in incident.events)
    if event == incident.id or known:
        return None
    told = app.ledger.event_of(finding)
    return told if told and told.incident == incident.id else None


def _taken_up(
    app: App, held: StoredIncident, told: Notification, began_ns: int = 0, deadline: Deadline | None = None
) -> StoredIncident:
    """Decline what needs no decision; open anew what was left open, once SCC holds that; raises Transient.

    Without a deadline SCC is not asked: it told.
    """
    incident, reason = held.incident, reason_to_decline(told, app.policies)
    first = incident.decision is None and all(one.id == told.finding.incident_id for one in incident.events)
    if reason is not None and incident.phase == "received" and first and _tells_all(app, incident, began_ns):
        return end(app, replace(held, incident=incident.with_events_decided()), "declined", reason)
    if reason is not None or not left_open(incident, told.finding, app.policies.config.organization):
        return held
    found: Finding | None = told.finding
    if deadline is not None and not (incident.open or incident.reopens):
        found = None
        with suppress(Refused):
            found = Readings(app, incident, deadline).finding(told.finding)
    return _opened_anew(app, held, found) if found and found.incident_id == told.finding.incident_id else held


def _tells_all(app: App, incident: Incident, began_ns: int) -> bool:
    """Whether nothing else was told of it: a copy ends nothing that another message told otherwise before."""
    earlier = incident.created_ns < began_ns
    return not earlier or reason_to_decline(Notification(incident.finding, deleted=False), app.policies) is not None


def _opened_anew(app: App, held: StoredIncident, finding: Finding) -> StoredIncident:
    """What was declined is decided from the start, by what is told now; else the event that SCC did not hold, alone.

    What was given up, or has ended, is as old by then as if it came only now.
    """
    incident, now = held.incident, app.now_ns()
    events = tuple(
        replace(one, status="new", decided=False, seen_ns=one.seen_ns if incident.open and one.unheld else now)
        if incident.reopens or one.id == finding.incident_id
        else one
        if incident.open
        else replace(one, suspects={}, answered=True)
        for one in incident.events
    )
    anew = replace(incident, events=events, finding=incident.finding if incident.counting else finding)
    if incident.open:
        return app.ledger.save(held, anew)
    anew = replace(anew, phase="received", finding=finding, decision=None, plan=None, done=None, release=None)
    return app.ledger.save(held, anew.with_history(now, "firebreak", "SCC holds it active and unmuted"))


def execute(app: App, command: Command) -> CommandResult:
    """Carry out one command, once; raises Transient for another delivery."""
    return execute_once(app, command, lambda: _carried_out(app, command))


def _carried_out(app: App, command: Command) -> CommandResult:
    if command.verb == "sweep":
        swept = sweep(app)
        return CommandResult(done=not (swept.refused or swept.later), says=str(swept), unreached=bool(swept.later))
    if command.verb in ("halt", "resume"):
        return app.ledger.halts.obey(command)
    try:
        if command.verb == "drill":
            return announce_canary(app, command)
        return _on_incident(as_one_worker(app), command)
    except Refused as fault:
        return CommandResult(done=False, says=str(fault), incident=command.incident)


def _on_incident(app: App, command: Command) -> CommandResult:
    """Own the incident, do what was said, tell, and let it go; raises Transient while somebody else works on it."""
    deadline = Deadline.after(BUDGET_SECONDS)
    try:
        held = _own(app, command.incident)
    except NotActedOn as fault:
        set_aside(app, fault)
        raise
    if held is None:
        return CommandResult(done=False, says=f"there is no incident {command.incident}")
    collecting = Collecting(app, None, deadline)
    try:
        answered = answer(app, held, command, collecting, deadline)
        held = _told_if_possible(app, answered.held, collecting, deadline)
    except Exception:
        give_up_lease(app, held)
        raise
    app.ledger.release_lease(held, held.incident)
    return CommandResult(answered.done, answered.says, command.incident)


def _told(app: App, held: StoredIncident, collecting: Collecting, deadline: Deadline) -> StoredIncident:
    """Keep the evidence, and tell; what stands is told before answers that it does not rest on. Raises Unsent."""
    late = collecting.late if held.incident.stands else frozenset[str]()
    if late:
        try:
            held = flush(app, held, deadline)
        except Unsent:  # it is tried once more, with the rest
            held = app.ledger.read(held.incident.id) or held
    return flush(app, collecting.finish(held, late), deadline)


def _told_if_possible(app: App, held: StoredIncident, collecting: Collecting, deadline: Deadline) -> StoredIncident:
    """What was asked for is done and saved; what cannot be announced now is announced by the sweep."""
    try:
        return _told(app, held, collecting, deadline)
    except Unsent as fault:
        app.log("WARNING", f"to be announced by the sweep: {fault}", incident=held.incident.id)
        return app.ledger.read(held.incident.id) or held


def as_one_worker(app: App) -> App:
    """A token of its own for each message and command: threads of one process are as strange to each other as any."""
    return replace(app, ledger=replace(app.ledger, owner=uuid.uuid4().hex))


def give_up_lease(app: App, held: StoredIncident) -> None:
    """Let the next delivery go on at once; if even that cannot be saved, the lease runs out by itself."""
    try:
        latest = app.ledger.read(held.incident.id)
        if latest is not None and latest.incident.owner == app.ledger.owner:
            app.ledger.release_lease(latest, latest.incident)
    except Transient:
        app.log("WARNING", "the lease could not be given up; it runs out by itself", incident=held.incident.id)


def sweep(app: App, budget: float = BUDGET_SECONDS) -> Swept:
    """Carry on what was left, ask again what expired, look at all that stands, answer what was missed; what it did."""
    app = replace(as_one_worker(app), hung=set())
    return sweep_everything(app, partial(_carry_on, app), partial(_note, app), Deadline.after(budget))


def _note(app: App, told: Notification) -> None:
    """Note what SCC holds; whoever carries on what is due decides it."""
    app = as_one_worker(app)
    held = _taken_up(app, _heard(app, told.finding), told)
    app.ledger.release_lease(held, held.incident)


def _carry_on(app: App, counts: Tally, incident_id: str, deadline: Deadline) -> str | None:
    """Own one incident that is due, go on with it, tell, and let it go."""
    app = as_one_worker(app)
    try:
        held = _own(app, incident_id)
    except NotActedOn as fault:
        not_due(app, fault)
        raise
    if held is None:
        return None
    before = held.incident
    collecting = Collecting(app, None, deadline)
    try:
        held = advance(app, held, collecting, deadline)
        held = advance(app, review_due(app, held, deadline), collecting, deadline)
        held = _told(app, held, collecting, deadline)
        held, refused = count_refused(app, held)
    except Exception:
        with suppress(Transient):  # what was saved on the way is told all the same
            flush(app, app.ledger.read(incident_id) or held, deadline)
        give_up_lease(app, held)
        raise
    counts["announcements refused"] += len(refused)
    counts.refused += refused
    app.ledger.release_lease(held, held.incident)
    if len(held.incident.history) != len(before.history) or held.incident.phase != before.phase:
        return what_came_of(before, held.incident)
    return "announcements sent" if before.unsent > held.incident.unsent + len(refused) else None
