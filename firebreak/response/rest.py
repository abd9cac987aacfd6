"""Where an incident comes to rest: in a question, a wait or an end. Its phase follows from what is in effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from firebreak.core.containment.active_containment import RELEASE_NS, WRITING_NS
from firebreak.core.containment.observation import Around
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.containment.whole_plan import differences, settings_in_words
from firebreak.core.errors import Refused, Transient
from firebreak.core.incidents.incident import Incident, Wait
from firebreak.core.incidents.phase import ENDED, Phase
from firebreak.core.incidents.question import MOST_ESCALATIONS, Question, question_digest, shown_digest
from firebreak.core.incidents.still_open import undone
from firebreak.core.mode import Cap, Mode
from firebreak.core.policy.policy import Policy
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Save
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.response.announce import channels, save_and_tell, tell_question
from firebreak.response.app import App
from firebreak.response.decide import all_suspects
from firebreak.response.readings import Readings
from firebreak.response.unheld import MOST_OPEN, admit

UNANSWERED = f"nobody answered {MOST_ESCALATIONS + 1} times"
GIVEN_UP_NS = 24 * 3600 * NANOS
"""How long the sweep asks again about what SCC does not hold, or holds muted."""
ASK_AGAIN_NS = 60 * NANOS
"""How long the sweep waits before it looks again at what was waited for."""


def end(
    app: App,
    held: StoredIncident,
    phase: Phase,
    what: str,
    readings: Readings | None = None,
    who: str = "firebreak",
    *,
    may_pass: bool = False,
) -> StoredIncident:
    """Save where it comes to rest, with its announcement. What stands stays contained, whatever is ended.

    Nothing ends before the events that came meanwhile are decided. Raises Transient while a write of its own may still
    be under way.
    """
    if phase in ENDED and held.incident.undecided:
        undecided = replace(held.incident, phase="received", operation=None, answer=None, next_ns=None)
        return app.ledger.save(held, undecided.with_history(app.now_ns(), who, what))
    if phase in ENDED:
        held = without_unwritten(app, held, readings)
        if readings:
            readings.forget_standings()
    incident = held.incident
    standing = app.ledger.stands(incident)
    if standing and phase in ENDED:
        open_ = tuple(dict.fromkeys((*incident.still_open, *_left_undone(incident, what))))
        done = _held_yet(app, incident)
        phase, incident = "contained", replace(incident, plan=done or incident.plan, done=done, still_open=open_)
    held_still = standing or (phase in {*ENDED, "failed"} and app.ledger.holds_any(incident))
    if phase in ENDED and held_still:
        phase = "failed"  # what was written is there and does not serve: a release takes it back
    due = app.review_ns(incident) if held_still else None
    rested = replace(
        incident, phase=phase, operation=None, waits=incident.waits if may_pass else None, away={}, next_ns=due
    )
    if phase in ("monitored", "declined") and not may_pass and _unverified(rested):
        return _told_once_an_hour(app, held, rested, what, admit(app).untold)
    rested = rested.with_history(app.now_ns(), who, what)
    return save_and_tell(app, held, rested)


def _held_yet(app: App, incident: Incident) -> Plan | None:
    """What was done where something is held yet: a release gives one target back, and another one may stay refused."""
    if incident.done is None:
        return None
    try:
        held = {target.key for target, _ in app.ledger.held_targets(incident)}
    except NotActedOn:
        return incident.done
    return replace(incident.done, changes=tuple(one for one in incident.done.changes if one.target.key in held))


def _unverified(incident: Incident) -> bool:
    """Whether SCC holds what it is about differently, or not at all."""
    caps = incident.decision.caps if incident.decision else ()
    return any(cap.name == "unverified" for cap in caps)


def without_unwritten(app: App, held: StoredIncident, readings: Readings | None) -> StoredIncident:
    """A hold of which nothing was ever seen in effect goes, once it is sure that no write of it is under way."""
    incident = held.incident
    try:
        holds = app.ledger.held_targets(incident)
    except NotActedOn:
        return held
    for target, hold in holds:
        standing, document = app.ledger.standing_of(incident, target)
        if standing.in_effect(incident.id):
            continue
        if standing.pending and readings is not None:
            readings.forget(target)
            workload = None
            with suppress(Refused):
                workload = readings.workload(target)
            mine = workload is not None and not standing.is_of_another(workload.uid)
            if workload and mine and any(workload.state.get(key) == one for key, one in standing.pending.items()):
                # Settled before by whoever came here: in time it is in effect, or what is there now is all that comes.
                if app.now_ns() - hold.taken_ns < RELEASE_NS:
                    message = f"a write to {target.place} takes effect, and is looked at until it has"
                    raise Transient(message)
                seen = standing.with_confirmed_write(workload.state, app.now_ns(), workload.updated_ns)
                held = app.ledger.save(held, incident, app.ledger.standing_save(seen, document))
                continue
        if standing.pending and app.now_ns() - hold.taken_ns < WRITING_NS:
            message = f"a write to {target.place} may still be under way"
            raise Transient(message)
        rest = replace(standing.without_hold(incident.id), pending={})
        held = app.ledger.save(held, incident, app.ledger.standing_save(rest, document))
    return held


def defer(app: App, held: StoredIncident, what: str, reason: str) -> StoredIncident:
    """Wait for something that may pass: open, announced once, decided anew when it has. An answer it had is spent."""
    incident, now = held.incident, app.now_ns()
    before = incident.waits if incident.phase != "contained" else None  # where it was given up, this is another one
    wait = Wait(what, reason, before.since_ns if before and before.what == what else now)
    waiting = replace(
        incident,
        phase="deferred",
        waits=wait,
        answer=None,
        away={},
        operation=None,
        next_ns=now + (0 if what == "halt" else ASK_AGAIN_NS),
    )
    if before is not None and before.what == what:
        over = what != "halt" and now - before.since_ns >= GIVEN_UP_NS
        return _given_up(app, held, reason) if over else app.ledger.save(held, waiting)
    spent = "; the approval is spent, and is asked for anew" if incident.answer else ""
    if what == "unverified":
        return _unheld(app, held, waiting, f"{reason}{spent}")
    told = waiting.with_history(now, "firebreak", f"deferred: {reason}{spent}")
    return save_and_tell(app, held, told)


def _left_undone(incident: Incident, why: str) -> Iterator[str]:
    """What the plan would close beside what stands, and what it says of why it does not."""
    plan = incident.plan or Plan((), ())
    for one in plan.changes:
        if one.after and not recorded(incident, plan, one):
            yield undone(one.actions, why, incident.place_of(one.target))


def _given_up(app: App, held: StoredIncident, reason: str) -> StoredIncident:
    """After a day nothing is waited for."""
    held = replace(held, incident=held.incident.with_events_decided())
    return end(app, held, "declined", f"{reason}: given up after a day", may_pass=True)


def recorded(incident: Incident, plan: Plan, change: Change) -> bool:
    """Whether it is on record what became of this change of this plan."""
    what = (plan.digest, change.target.key, change.surface)
    return any((one.plan, one.target, one.surface) == what for one in incident.outcomes)


def _unheld(app: App, held: StoredIncident, waiting: Incident, reason: str) -> StoredIncident:
    """Of what SCC does not hold so many wait; more are only recorded, until SCC holds them. Programs get all of it."""
    admitted = admit(app, waiting.id)
    if not admitted.waits:
        waiting = replace(waiting.with_events_decided(), phase="declined", next_ns=None)
        reason = f"{reason}; recorded as not held, because {MOST_OPEN} such wait already"
    return _told_once_an_hour(app, held, waiting, f"{waiting.phase}: {reason}", admitted.untold)


def _told_once_an_hour(
    app: App, held: StoredIncident, incident: Incident, what: str, untold: int | None
) -> StoredIncident:
    """What nothing but a message says: people are told with the number of those before; programs get all of it."""
    what = f"{what}; {untold} more since the last alert" if untold else what
    told = incident.with_history(app.now_ns(), "firebreak", what)
    if untold is None:
        app.log("NOTICE", f"told within the hour: {what}", incident=incident.id)
    names = tuple(one for one in channels(app, told) if one != "marks" and (untold is not None or one == "topic"))
    return app.ledger.save(held, told.with_announcements(names))


def _confirmed_by_a_yes(incident: Incident, cautions: tuple[str, ...]) -> Incident:
    """The incident as a yes makes it: where the question says that SCC did not confirm its events, they count then."""
    if "unconfirmed" not in cautions:
        return incident
    events = (replace(one, status="counts") if one.status == "new" else one for one in incident.events)
    return replace(incident, events=tuple(events))


def ask(  # noqa: PLR0913 - a question shows all of them
    app: App,
    held: StoredIncident,
    policy: Policy,
    plan: Plan,
    caps: Iterable[Cap],
    around: Around,
    why: str,
    *,
    escalated: int = 0,
    supposed: Incident | None = None,
    also: tuple[Save, ...] = (),
) -> StoredIncident:
    """Save the plan as a question, with its announcement; the same question as the open one stays as it is.

    One whose content has changed is put anew, and keeps its count and its first deadline. `supposed` is the incident as
    a yes would make it, where that is another. `also`: what is saved in the same commit.
    """
    now, incident, before = app.now_ns(), held.incident, held.incident.question
    decision = incident.decision
    caps = tuple(dict.fromkeys(caps))
    if decision is not None:
        decision = replace(decision, mode=min(decision.mode, Mode.APPROVE), caps=caps)
    cautions = tuple(dict.fromkeys(cap.key for cap in caps if cap.kind == "caution"))
    then = supposed or _confirmed_by_a_yes(incident, cautions)
    suspects = all_suspects(then, around)
    shown = shown_digest(plan, suspects, then.counting)
    digest = question_digest(shown, cautions)
    still_open = before is not None and held.incident.phase == "waiting" and now < before.expires_ns
    if before is not None and still_open and before.digest == digest:
        return app.ledger.save(held, replace(incident, plan=plan, decision=decision, answer=None, away={}), *also)
    expires = before.expires_ns if before is not None and still_open else now + policy.approve_within * NANOS
    escalated = before.escalated if before is not None and still_open else escalated
    asked_before = (*before.asked_before, before.digest) if before and before.digest != digest else ()
    places = {target.key: incident.place_of(target) for target in (*plan.targets, *incident.targets)}
    settings = settings_in_words(plan, places)
    question = Question(
        digest, now, expires, cautions, asked_before, escalated, then.counting, shown, settings, suspects
    )
    differ = "; ".join(differences(before.settings, settings, around, incident)) if before and before.settings else ""
    changed = f"; the plan is another: {differ}" if differ else ""
    begun = incident.phase in ("containing", "verifying") and incident.plan == plan
    asking = replace(
        incident if begun else incident.with_plan(plan),
        phase="waiting",
        decision=decision,
        question=question,
        answer=None,
        operation=None,
        waits=None,
        away={},
        next_ns=expires,
    )
    told = asking.with_history(now, "firebreak", f"asks a person: {why}{changed}")
    return app.ledger.save(held, tell_question(app, told, policy.approve_within * NANOS), *also)
