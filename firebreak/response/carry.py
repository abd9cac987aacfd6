"""Carrying a saved plan out, change by change; then what only a message told of is asked about."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from firebreak.core.actions.suspects import not_shared
from firebreak.core.containment.observation import Around
from firebreak.core.containment.plan import SUCCESS, Change, Outcome, Plan
from firebreak.core.containment.slots import HOUR_NS
from firebreak.core.errors import Drifted, Failed, Unfinished
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.question import MOST_ESCALATIONS
from firebreak.core.incidents.so_now import joined
from firebreak.core.incidents.still_open import undone
from firebreak.core.mode import Cap
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import StoredIncident
from firebreak.response.announce import save_and_tell
from firebreak.response.app import App
from firebreak.response.changes import (
    CHANGED,
    decide_anew,
    make,
    policies_changed,
    record_effect,
    record_failure,
    record_loss,
    redraw,
)
from firebreak.response.confirm import Confirmed, confirm
from firebreak.response.decide import replanned, ruling_on
from firebreak.response.draw import Turn, landed_any, latest
from firebreak.response.move import (
    await_effect,
    await_operation,
    operating_on,
    settings_of,
    settle_own,
)
from firebreak.response.readings import Readings
from firebreak.response.rest import UNANSWERED, ask, end, recorded

_ANSWER_KEEPS_NS = 3600 * NANOS
"""How long an approval may wait for its write: after that the question is put anew."""

_STILL_RUNS = "the write is still under way"


def carry(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    """Make the next move of the saved plan; raises Transient, and Away, to be called again."""
    incident, policy = held.incident, app.policy_of(held.incident)
    plan = incident.plan
    overdue = _overdue(app, incident)
    if policy is None or plan is None or overdue:
        return decide_anew(app, held, overdue or CHANGED)
    failed: Failed | None = None
    try:
        held = await_operation(app, held, readings.deadline)
    except Failed as fault:
        failed = fault
    except Unfinished:
        _tell_of_the_hour(app, held)
        raise
    held = settle_own(app, _in_its_turn(app, held, plan, readings), readings)
    turn, held = Turn.of(app, held, policy, readings)
    if failed is None:
        return _go_on(turn, held, plan)
    change = next((one for one in plan.changes if operating_on(held.incident, one)), None)
    held = replace(held, incident=replace(held.incident, operation=None))
    return record_failure(turn, held, change, failed) if change else app.ledger.save(held, held.incident)


def _in_its_turn(app: App, held: StoredIncident, plan: Plan, readings: Readings) -> StoredIncident:
    """Before anything is read for a write, wait where Google takes no more of them; raises Transient."""
    due = [
        one for one in plan.changes if held.incident.phase == "containing" and not recorded(held.incident, plan, one)
    ]
    if due and app.queue.waited(held.incident.finding, due[0].target, readings.deadline):
        return app.ledger.save(held, held.incident)  # the lease ran meanwhile
    return held


def _overdue(app: App, incident: Incident) -> str:
    """Why nothing is written by what was decided, where nothing of it is in effect or under way; empty if it may be."""
    if incident.phase == "verifying" or landed_any(incident):
        return ""
    if policies_changed(app, incident):
        return CHANGED
    late = incident.answer is not None and app.now_ns() - incident.answer.at_ns >= _ANSWER_KEEPS_NS
    return "it was not carried out in time" if late else ""


def _tell_of_the_hour(app: App, held: StoredIncident) -> None:
    """A person is told once of a write that is still under way after an hour."""
    saved = latest(app, held)
    history = saved.incident.history
    wrote = next((one for one in reversed(history) if one.what.startswith("wrote ")), None)
    if wrote is None or app.now_ns() - wrote.at_ns < HOUR_NS or history[-1].what.startswith(_STILL_RUNS):
        return
    what = f"{_STILL_RUNS} after an hour: look at it in Google's console; it is looked at again until it ends"
    app.log("WARNING", what, incident=saved.incident.id)
    told = saved.incident.with_history(app.now_ns(), "firebreak", what)
    save_and_tell(app, saved, told)


def _go_on(turn: Turn, held: StoredIncident, plan: Plan) -> StoredIncident:
    """The changes in their order: what is in effect is recorded, and the first that is due is made."""
    drawn = turn.drawn(held.incident)
    left = [one for one in plan.changes if not recorded(held.incident, plan, one)]
    # Every target is looked at before any of them is written: what was shown as a whole is done as a whole.
    for change in left:
        if overtaken := _overtaken(turn, held, change, drawn):
            return overtaken
    for change in left:
        seen = turn.around.seen_of(change.target)
        # Where what stands is not believed a person is asked, also about what is in effect already.
        if seen and (seen.standing is None or turn.state(held.incident, change, seen, drawn) == "due"):
            more = [one for one in drawn.changes if one.after and not _is_part(one, plan)]
            if more:
                return redraw(turn, held, f"there is more to close: {settings_of(more[0])}")
            return make(turn, held, plan, change, seen)
        held, settled = _settle(turn, held, plan, change)
        if not settled:
            return held
    return _finish(turn, held, plan)


def _overtaken(turn: Turn, held: StoredIncident, change: Change, drawn: Plan) -> StoredIncident | None:
    """What follows where the change's target is lost, another one, or no longer as drawn; else None."""
    seen = turn.around.seen_of(change.target)
    if seen is None or seen.workload is None or seen.case is None:
        return record_loss(turn, held, change, seen)
    state = turn.state(held.incident, change, seen, drawn)
    if state == "anew":
        return redraw(turn, held, f"{change.target.place} was deleted, and another one made in its place", change)
    if state == "drifted":
        why = f"the settings are no longer those the plan was drafted on ({settings_of(change)})"
        return redraw(turn, held, why, change)
    return None


def _settle(turn: Turn, held: StoredIncident, plan: Plan, change: Change) -> tuple[StoredIncident, bool]:
    """Wait for a change that was made to take effect, and put it on record; False where something else followed."""
    try:
        seen = await_effect(turn.app, change, turn.readings, partial(turn.again, held.incident, change))
    except Failed as fault:
        return record_failure(turn, held, change, fault), False
    except Drifted as fault:
        return redraw(turn, held, str(fault), change), False
    if new := turn.reopened(held.incident, change, seen):
        return redraw(turn, held, f"what the steps have to close has grown: {', '.join(new)}"), False
    return record_effect(turn, held, plan, change, seen), True


def _finish(turn: Turn, held: StoredIncident, plan: Plan) -> StoredIncident:
    """Everything was tried: contained, failed, or something grew meanwhile and the plan is drawn anew."""
    app, incident = turn.app, held.incident
    tried = [one for one in incident.outcomes if one.plan == plan.digest]
    made = [one for one in tried if one.status == SUCCESS]
    if made and _reopened_meanwhile(turn, incident, plan, tried):
        moved = next((one for one in plan.changes if turn.undone(one)), None)
        return redraw(turn, held, "while the plan was carried out, something came to lead to a suspect again", moved)
    failed = [one for one in tried if one.status != SUCCESS]
    wrote = plan if plan.writes else incident.done or plan  # what a later look found to be so undoes nothing of it
    done = replace(incident, done=wrote if made else incident.done)
    denied = (line for one in failed for line in one.still_open)
    refused = (undone((one.action,), one.reason) for one in plan.undone)
    open_ = (*turn.beside(done, plan), *done.still_open, *denied, *refused)
    done = replace(done, still_open=tuple(dict.fromkeys(open_)))
    if failed and not (made and all(one.still_open for one in failed)):
        return end(app, replace(held, incident=done), "failed", "; ".join(one.detail for one in failed), turn.readings)
    held = end(app, replace(held, incident=done), "contained", _summary(done, failed), turn.readings)
    return ask_about_events(app, held, turn.readings)


def _reopened_meanwhile(turn: Turn, incident: Incident, plan: Plan, tried: list[Outcome]) -> bool:
    """Whether a plan of several targets has left something to close, but for what was refused."""
    if len(plan.targets) <= 1 and not any(one.kind == "nothing_suspect" for one in plan.refusals):
        return False
    turn.readings.forget_all()
    again, _ = replanned(incident, turn.policy, turn.confirmed, turn.readings)
    refused = {(one.target, one.surface) for one in tried if one.status != SUCCESS}
    return any(one.after and (one.target.key, one.surface) not in refused for one in again.changes)


def _is_part(change: Change, plan: Plan) -> bool:
    """Whether the plan has a change of the same surface of the same target."""
    return any((one.target.key, one.surface) == (change.target.key, change.surface) for one in plan.changes)


def _summary(incident: Incident, failed: list[Outcome]) -> str:
    """By what it is contained: the steps of which nothing failed, or the incidents that had closed it before."""
    plan = incident.plan or Plan((), ())
    lost = {action for one in failed for action in one.actions}
    done = ", ".join(step.action for step in plan.steps if step.action not in lost) or "a part of the plan"
    if plan.writes:
        return f"contained by {done}"
    others = joined(incident)
    who = f": {', '.join(others)} had closed it" if others else ""
    return f"nothing new had to be closed ({done}){who}"


_DONE: frozenset[Phase] = frozenset({"contained", "declined", "failed", "rejected"})
"""What counts is over by then: done as far as there was anything to do, or a person has said no to it."""


def ask_about_events(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    """Ask about each such event that no person has answered for.

    A yes makes one that SCC has passed count, and what it names suspect; the other convicts nobody.
    """
    incident, policy = held.incident, app.policy_of(held.incident)
    if policy is None or incident.phase not in _DONE or not any(map(_unanswered, incident.events)):
        return held
    confirmed = confirm(incident, readings)
    plan, around = replanned(incident, policy, confirmed, readings)
    judged = _judged(app, incident, confirmed)
    for event in filter(_unanswered, incident.events):
        if event.status == "passed" and (named := _named(event, judged, around)):
            asked = replace(event, suspects={around.own.target.key: tuple(sorted(named))})
            supposed = _with_event(incident, replace(asked, status="counts"))
            plan, around = replanned(supposed, policy, confirmed, readings)
            confirmed = confirm(supposed, readings)
            names = ", ".join(sorted({*named, *event.digests}))
            reason = f"{event.id} was not confirmed by SCC, which holds a later event: only its message names {names}"
            held = replace(held, incident=_with_event(incident, asked))
        elif event.status == "counts" and incident.phase != "failed" and _carried_by_nobody(event, around):
            supposed = incident
            images = ", ".join(event.digests)
            reason = f"nothing that is suspect carries an image of event {event.id} ({images}): it may be elsewhere"
        else:
            continue
        ruling = ruling_on(supposed, policy, confirmed, around, plan, readings)
        name = "passed" if event.status == "passed" else "unplaced"
        caution = Cap(name, "caution", reason, event.id)
        if (escalated := _expired(caution, incident, app.now_ns())) > MOST_ESCALATIONS:
            over = _with_event(incident, replace(event, answered=True))
            return app.ledger.save(held, over.with_history(app.now_ns(), "firebreak", f"{reason}: {UNANSWERED}"))
        caps = (*ruling.caps, caution)
        return ask(app, held, policy, plan, caps, around, reason, escalated=escalated, supposed=supposed)
    return held


def _judged(app: App, incident: Incident, confirmed: Confirmed) -> Incident:
    """The incident that has the event that SCC holds: this one, or another of the finding."""
    told = app.ledger.event_of(confirmed.finding)
    other = app.ledger.read(told.incident) if told and told.incident != incident.id else None
    return other.incident if other else incident


def _expired(caution: Cap, incident: Incident, now_ns: int) -> int:
    """How often a question with that caution has expired."""
    last = incident.question
    return last.escalated + (last.expires_ns <= now_ns) if last and caution.key in last.cautions else 0


def _unanswered(event: Event) -> bool:
    """Whether a person may have to be asked about it: it tells of something, and has made nothing suspect."""
    told = bool(event.named or event.digests)
    none = event.status == "passed" or (event.status == "counts" and not event.suspects)
    return told and none and not event.answered


def _carried_by_nobody(event: Event, around: Around) -> bool:
    """Whether no suspect carries an image of an event that names nothing else."""
    own = around.own
    if event.named or own.workload is None or own.case is None:
        return False
    images = not_shared(frozenset(event.digests), own.workload.revisions)
    return not any(one.digests & images for one in own.workload.revisions if one.name in own.case.suspects)


def _named(event: Event, judged: Incident, around: Around) -> frozenset[str]:
    """What the message names, by name or by image, that is not suspect anyway."""
    own = around.own
    if own.workload is None or own.case is None:
        return frozenset()
    images = frozenset(event.digests)
    found = {
        one.name
        for one in own.workload.revisions
        if one.name in event.named or (not event.named and one.digests & images)
    }
    return frozenset(found) - judged.suspects_on(own.target)


def _with_event(incident: Incident, event: Event) -> Incident:
    return replace(incident, events=tuple(event if one.id == event.id else one for one in incident.events))
