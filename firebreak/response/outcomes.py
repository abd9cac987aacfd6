"""What came of each change, put on record: in effect, failed, refused, or gone."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.containment.active_containment import Hold
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import GONE, SUCCESS, Change, Outcome, Plan, has_settings
from firebreak.core.errors import Denied, Failed, Missing, Refused
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import StoredIncident
from firebreak.response.decide import ruling_on
from firebreak.response.move import (
    is_same,
    put_back,
    settings_of,
)
from firebreak.response.opened import opened, undone
from firebreak.response.redraw import redraw
from firebreak.response.rest import ask
from firebreak.response.turn import Turn, with_ruling


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
    outcome = Outcome(change.surface, SUCCESS, place + detail, change.actions, left, change.target.key, plan.digest)
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
    readings.forget(change.target)
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
        ruling = ruling_on(turn.app, held.incident, turn.policy, turn.confirmed, turn.around, plan, turn.readings)
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
