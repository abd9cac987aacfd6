"""The changes of a saved plan: each made through the gate, by the one writer, and what follows from its answer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.containment.active_containment import Hold
from firebreak.core.containment.gate import Ruling
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import GONE, SUCCESS, Change, Outcome, Plan, has_settings
from firebreak.core.containment.whole_plan import follows_what_was_shown
from firebreak.core.errors import Denied, Drifted, Failed, Missing, Refused, Throttled, Transient, Unsupported
from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.question import shown_digest
from firebreak.core.incidents.still_open import opened, undone
from firebreak.ledger.records import StoredIncident
from firebreak.response.app import App
from firebreak.response.decide import all_suspects, replanned, ruling_on
from firebreak.response.draw import Turn, landed_any, latest, with_ruling
from firebreak.response.limits import give_slots_back
from firebreak.response.move import (
    Halted,
    contain,
    is_same,
    put_back,
    settings_of,
)
from firebreak.response.readings import Pass
from firebreak.response.rest import ask, defer, end

_FEW = 3
_PAUSE = 0.2

CHANGED = "the policies have changed since"


def make(turn: Turn, held: StoredIncident, plan: Plan, change: Change, seen: Seen) -> StoredIncident:
    """Write one change, if the gate lets the plan through and no person has to be asked first."""
    app, incident = turn.app, held.incident
    ruling = ruling_on(incident, turn.policy, turn.confirmed, turn.around, plan, turn.readings)
    held = with_ruling(held, ruling)
    if ruling.word in ("wait", "stop"):
        return stop(turn, held, ruling)
    caps = ruling.caps
    passed = Pass.of(ruling, plan, turn.around.seen, turn.at) if ruling.word == "go" else None
    if passed and ruling.slots:
        limits, until = app.policies.config.limits, turn.readings.deadline
        caps = (*caps, *app.queue.take_slots(app.ledger, limits, incident.id, plan, until, app.log))
    unbelieved = "" if seen.standing else seen.fault  # whoever approved it, the record is not written over
    if passed is None or len(caps) > len(ruling.caps) or unbelieved:
        why = "; ".join(cap.reason for cap in caps if cap.kind == "caution") or "the policy asks"
        return ask(app, held, turn.policy, plan, caps, turn.around, unbelieved or why)
    try:
        return contain(app, held, change, seen, passed, partial(_asked_again, turn, held, plan), turn.readings)
    except Halted as halted:
        give_slots_back(app.ledger, incident, turn.readings.deadline, app.log)
        return defer(app, latest(app, held), "halt", str(halted))
    except Refused as fault:
        return _after_refusal(turn, latest(app, held), plan, change, fault)
    except Transient as fault:
        if isinstance(fault, Throttled):
            app.queue.refused(change.target)
        # An answer that was lost: what is in force now decides, never a blind repeat.
        if turn.readings.deadline.passed or turn.readings.lost_another():
            raise
        app.log("WARNING", f"the write is looked at again: {fault}", incident=incident.id)
        turn.readings.deadline.pause(_PAUSE)
        return latest(app, held)


def _asked_again(turn: Turn, held: StoredIncident, plan: Plan) -> Pass:
    """What the gate says now, on another look; raises Drifted where it does not let the plan through any more."""
    try:
        now, held = Turn.of(turn.app, held, turn.policy, turn.readings)
        ruling = ruling_on(held.incident, turn.policy, now.confirmed, now.around, plan, turn.readings)
    except Transient as fault:
        raise Drifted(str(fault)) from None
    if ruling.word != "go":
        message = "the gate lets it through no more"
        raise Drifted(message)
    return Pass.of(ruling, plan, now.around.seen, now.at)


def _after_refusal(turn: Turn, held: StoredIncident, plan: Plan, change: Change, fault: Refused) -> StoredIncident:
    """What follows where the write was not taken: another look, another plan, or a failure."""
    match fault:
        case Drifted():
            if turn.readings.lost_another():
                message = f"others keep writing at the same moment: {fault}"
                raise Transient(message) from None
            turn.app.log("WARNING", f"looked at again before the write: {fault}", incident=held.incident.id)
            return held
        case Denied():
            return record_refusal(turn, held, plan, change, fault)
        case Unsupported(setting=str() as setting) if setting not in held.incident.unsupported:
            known = replace(held.incident, unsupported=(*held.incident.unsupported, setting))
            return redraw(turn, replace(held, incident=known), str(fault))
        case _:
            return record_failure(turn, held, change, fault)


def record_effect(turn: Turn, held: StoredIncident, plan: Plan, change: Change, seen: Seen) -> StoredIncident:
    """A change that is in effect: outcome and hold in one commit. Where nothing had to be written, it joins."""
    app, incident, now = turn.app, held.incident, turn.app.now_ns()
    standing, document = turn.readings.standing(change.target, seen.uid)
    turn.readings.forget_standings()
    standing, saves = standing.of_resource(seen.uid), []
    if standing.holds and seen.workload and seen.case:
        steps, refused = plan.steps_on(change.target), tuple(sorted(seen.case.unsupported))
        hold = Hold(incident.id, steps, seen.case.own_suspects, now, unsupported=refused)
        joined = standing.with_hold(hold).with_confirmed_write(seen.workload.state, now, seen.workload.updated_ns)
        saves.append(app.ledger.standing_save(joined, document))
        incident = replace(incident.with_target(change.target), release=None)  # what it said of these settings is over
    who = seen.workload.last_modifier if seen.workload else ""
    by = f", made so by {who}" if who and not standing.holds else ""
    detail = f"verified in effect: {settings_of(change)}" if change.after else f"already so: nothing was written{by}"
    always = (text for step in plan.steps_on(change.target) for text in app.actions[step.action].leaves_open)
    left = tuple(dict.fromkeys((*opened(incident, seen), *always, *_shared(incident, change))))
    place = incident.place_of(change.target)
    others = () if change.after else tuple(one.incident for one in standing.holds if one.incident != incident.id)
    told = (change.surface, SUCCESS, place + detail, change.actions, left, change.target.key, plan.digest)
    outcome = Outcome(*told, joined=first_few(others, _FEW))
    outcomes = (*(one for one in incident.outcomes if not _same(one, outcome)), outcome)
    uids = {**incident.uids, change.target.key: seen.uid}
    # What stands is told by what was done last, also where the rest of this plan never is.
    done = incident.done.with_change(change) if incident.done and change.after else incident.done
    known = replace(incident, outcomes=outcomes, still_open=_still_open(outcomes), uids=uids, done=done)
    return app.ledger.save(held, known.with_drift(change.target.key, None), *saves)


def record_failure(turn: Turn, held: StoredIncident, change: Change, fault: Refused) -> StoredIncident:
    """The change failed for good, unless it is in effect all the same.

    Once, where the policy says `otherwise`, that follows.
    """
    app, readings, incident = turn.app, turn.readings, held.incident
    readings.forget_all()  # an account's `otherwise` is drawn on the service as it is now
    plan = incident.plan or Plan((), ())
    if isinstance(fault, Failed):
        seen = turn.again(incident, change)
        if seen.workload and not is_same(change, seen.workload):
            return app.ledger.save(held, replace(incident, operation=None))  # another look tells what that leads to
        if (
            seen.workload
            and change.after
            and has_settings(seen.workload.state, change.after)
            and (app.surfaces[change.surface].in_force(seen.workload, change))
        ):
            what = f"the operation ended in an error, yet the change is in effect: {fault}"
            return app.ledger.save(
                held, replace(incident, operation=None).with_history(app.now_ns(), "firebreak", what)
            )
        problem = put_back(app, change, readings)
        held = _let_go(turn, held, change, problem)
        if problem:
            fault = Failed(f"{fault}; and what was written could not be put back: {problem}")
    held = _with_refusal(turn, held, plan, change, fault)
    gives_way = tuple(step.action for step in turn.policy.then if step.otherwise and step.action in change.actions)
    if not gives_way or incident.failed_for(change.target) or fault.status == GONE:
        return app.ledger.save(held, held.incident)
    failed_on = {**incident.failed_on, change.target.key: gives_way}
    return redraw(turn, replace(held, incident=replace(held.incident, failed_on=failed_on)), str(fault))


def record_refusal(turn: Turn, held: StoredIncident, plan: Plan, change: Change, fault: Refused) -> StoredIncident:
    """What Firebreak may not do, or what is gone, is no outage: the rest goes on, and no `otherwise` follows."""
    held = _with_refusal(turn, held, plan, change, fault)
    return turn.app.ledger.save(held, held.incident)


def record_loss(turn: Turn, held: StoredIncident, change: Change, seen: Seen | None) -> StoredIncident:
    """A target that cannot be read any more: gone, refused for good, or away for so long that a person is asked."""
    plan = held.incident.plan or Plan((), ())
    if seen is not None and seen.away:
        ruling = ruling_on(held.incident, turn.policy, turn.confirmed, turn.around, plan, turn.readings)
        held = with_ruling(held, ruling)
        why = f"{change.target.place} could not be read: {seen.fault}"
        return ask(turn.app, held, turn.policy, plan, ruling.caps, turn.around, why)
    fault = seen.fault if seen else "it does not exist any more"
    gone = seen is None or seen.gone
    return record_refusal(turn, held, plan, change, Missing(fault) if gone else Denied(fault))


def _with_refusal(turn: Turn, held: StoredIncident, plan: Plan, change: Change, fault: Refused) -> StoredIncident:
    incident = held.incident
    place = incident.place_of(change.target)
    detail = f"{place}{fault}"
    left = (undone(change.actions, str(fault), place),) if isinstance(fault, Denied) else ()
    outcome = Outcome(change.surface, fault.status, detail, change.actions, left, change.target.key, plan.digest)
    known = replace(incident, outcomes=(*incident.outcomes, outcome), operation=None, phase="containing")
    what = f"{', '.join(change.actions)} failed: {fault}"
    return replace(held, incident=known.with_history(turn.app.now_ns(), "firebreak", what))


def _let_go(turn: Turn, held: StoredIncident, change: Change, problem: str) -> StoredIncident:
    """The hold goes with the change that failed, where nothing else of it stands there."""
    standing, document = turn.app.ledger.standing_of(held.incident, change.target)
    if problem or not standing.held_by(held.incident.id):
        return held
    pending = {key: value for key, value in standing.pending.items() if key not in change.after}
    rest = replace(standing, pending=pending)
    turn.readings.forget_standings()
    if not standing.in_effect(held.incident.id):
        rest = rest.without_hold(held.incident.id)
    return turn.app.ledger.save(held, held.incident, turn.app.ledger.standing_save(rest, document))


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


def policies_changed(app: App, incident: Incident) -> bool:
    """Whether others decide today than those that decided: by their steps nothing is written in the old mode."""
    return incident.decision is not None and incident.decision.policy_set != app.policies.digest


def decide_anew(app: App, held: StoredIncident, why: str) -> StoredIncident:
    """What was decided counts no more, and no answer to it: the next turn decides on what is so now."""
    anew = replace(held.incident, phase="received", answer=None, operation=None)
    return app.ledger.save(held, anew.with_history(app.now_ns(), "firebreak", f"decided anew: {why}"))


def redraw(turn: Turn, held: StoredIncident, why: str, moved: Change | None = None) -> StoredIncident:
    """Draw the plan anew by the same policy; where the policies have changed, all is decided anew.

    What others opened again where this incident closed it is asked about.
    """
    app, incident = turn.app, held.incident
    if policies_changed(app, incident):
        return decide_anew(app, held, f"{why}; {CHANGED}")
    plan, around = replanned(incident, turn.policy, turn.confirmed, turn.readings)
    if not plan.changes:
        held = replace(held, incident=replace(incident, plan=plan))
        return end(app, held, "failed", f"{why}; {_refusals(plan)}", turn.readings)
    if (unreferred := around.unreferred(incident.id)) and not landed_any(incident):
        what = f"{why}; nothing to contain: nothing leads to {unreferred}"
        return end(app, held, "declined", what, turn.readings)
    closed = {one.target for one in incident.outcomes if one.status == SUCCESS}
    pending = moved is not None and turn.rolled_back(incident, moved)
    if plan.writes and moved is not None and (moved.target.key in closed or pending):
        drift = f"somebody changed what was contained: {why}"
        ruling = ruling_on(incident, turn.policy, turn.confirmed, around, plan, turn.readings, drift)
        if ruling.word in ("wait", "stop"):
            return stop(turn, with_ruling(held, ruling), ruling)
        return ask(app, with_ruling(held, ruling), turn.policy, plan, ruling.caps, around, f"{why}; close it again?")
    answer = incident.answer
    failed_on = (
        [one.target for one in incident.plan.changes if incident.failed_for(one.target)] if incident.plan else []
    )
    if any(one.kind == "service_account" for one in failed_on):
        failed_on.append(around.own.target)  # what an account's step gives way to is drawn with the target's own
    if answer and incident.plan and failed_on and follows_what_was_shown(incident.plan, plan, failed_on):
        shown = shown_digest(plan, all_suspects(incident, around), incident.counting)
        answer = replace(answer, shown=shown)
    fresh = replace(incident, plan=plan, answer=answer, operation=None, phase="containing")
    return app.ledger.save(held, fresh.with_history(app.now_ns(), "firebreak", f"drafted anew: {why}"))


def stop(turn: Turn, held: StoredIncident, ruling: Ruling) -> StoredIncident:
    """A bar came up since the decision; what was made before it stays."""
    bar = next(cap for cap in ruling.caps if cap.kind == "bar")
    give_slots_back(turn.app.ledger, held.incident, turn.readings.deadline, turn.app.log)
    if ruling.word == "wait":
        return defer(turn.app, held, bar.name, bar.reason)
    return end(turn.app, held, "monitored", bar.reason, turn.readings)


def _refusals(plan: Plan) -> str:
    return f"nothing else can be done: {'; '.join(f'{one.action}: {one.reason}' for one in plan.refusals)}"
