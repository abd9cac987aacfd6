"""Carry a plan out: fresh reading, last check, standing containment saved, one write, effective state read back."""

from __future__ import annotations

import time
from dataclasses import replace

from firebreak.core.actions.case import basis_of
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.containment.active_containment import Hold
from firebreak.core.containment.guards import broken_caps
from firebreak.core.containment.plan import Change, Plan, apply_change, has_settings
from firebreak.core.errors import Denied, Drifted, Failed, Refused, Transient, Unfinished, Unsupported
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.mode import Cap
from firebreak.core.policy.policy import Policy
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.ports.surface import Surface
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.containment.approved import is_approved
from firebreak.response.containment.holds import resting
from firebreak.response.containment.last_check import Barred, Unconfirmed, bars_now, check_again
from firebreak.response.containment.refused import let_go, recorded, took_effect
from firebreak.response.containment.verify import keys, looked_around, redraw, require_closed, verify
from firebreak.response.decision.blast_radius import give_slots_back, never_wrote, take_slots
from firebreak.response.decision.look import Seen, look
from firebreak.response.triggers.question import ask, difference

_LIFTED = frozenset({"halt", "ceiling", "source", "self"})
"""Bars of our own configuration, which a person may lift while a question stands."""
_TURNS = 6
_TRIES = 4
_LEASE_SLICE = 10.0


def contain(app: App, held: StoredIncident, policy: Policy, deadline: Deadline) -> StoredIncident:
    """Make every change of the saved plan, or end in a question, a bar or a failure; raises Transient to be resumed."""
    if not held.sealed:
        return _ended(
            app, held, "failed", "the record's seal is broken: it is not executed; see the lines for doing it by hand"
        )
    for _ in range(_TURNS):
        try:
            return _make_all(app, held, policy, deadline)
        except _Step as step:
            held = step.held
            if held.incident.phase not in ("containing", "verifying"):
                if never_wrote(app, held.incident):
                    give_slots_back(app, held.incident.id, deadline)
                return held
    return _ended(app, held, "failed", "the settings keep changing under the plan; nothing more is tried")


class _Step(Exception):
    """The turn ended with this saved incident: a new plan, a question, a bar or a failure."""

    def __init__(self, held: StoredIncident) -> None:
        super().__init__(held.incident.phase)
        self.held = held


def _make_all(app: App, held: StoredIncident, policy: Policy, deadline: Deadline) -> StoredIncident:
    plan = held.incident.plan
    if plan is None:
        return _ended(app, held, "failed", "there is no plan to carry out")
    joins = bool(plan.changes) and not plan.writes and never_wrote(app, held.incident)
    denied: list[str] = []
    for change in plan.changes:
        try:
            held = _make_or_turn(app, held, policy, change, deadline)
        except Denied as refusal:
            # What Firebreak may not do is no outage of the target: the rest goes on, and no `otherwise` follows.
            held = recorded(app, _saved(app, held), change, refusal, deadline)
            denied.append(held.incident.outcomes[-1].detail)
    if denied:
        named = replace(held.incident, still_open=(*held.incident.still_open, *denied))
        return _ended(app, replace(held, incident=named), "failed", "; ".join(denied))
    if _grew(app, held.incident, policy, plan, deadline):
        why = "while the plan was carried out, something came to lead to a suspect again"
        raise _Step(_redraft(app, held, policy, why, deadline))
    if joins:
        give_slots_back(app, held.incident.id, deadline)
    done = looked_around(app, replace(held.incident, done=plan), deadline)
    left = tuple(f"{one.action} was not done: {one.reason}" for one in plan.refusals if one.kind == "unread")
    open_ = tuple(dict.fromkeys((*done.still_open, *left)))
    return _ended(app, replace(held, incident=replace(done, still_open=open_)), "contained", _summary(plan))


def _make_or_turn(app: App, held: StoredIncident, policy: Policy, change: Change, deadline: Deadline) -> StoredIncident:
    """One change, made; raises Denied, or where it ends otherwise the turn's end."""
    try:
        return _make(app, held, change, deadline)
    except Barred as bar:
        let_go(app, held, change, deadline)
        stopped = _asked_still if held.incident.answer and bar.cap.name in _LIFTED else _barred
        raise _Step(stopped(app, _saved(app, held), bar)) from None
    except Unconfirmed as doubt:
        let_go(app, held, change, deadline)
        plan = held.incident.plan or Plan((), ())
        raise _Step(ask(app, _saved(app, held), policy, plan, doubt.caps, str(doubt))) from None
    except Drifted as drift:
        raise _Step(_redraft(app, _saved(app, held), policy, str(drift), deadline)) from None
    except NotActedOn as doubt:
        cap = Cap("seal", "caution", str(doubt), unknown=True)
        raise _Step(
            ask(app, _saved(app, held), policy, held.incident.plan or Plan((), ()), (cap,), str(doubt))
        ) from None
    except Unsupported as refusal:
        raise _Step(_unsupported(app, _saved(app, held), policy, change, refusal, deadline)) from None
    except Refused as refusal:
        if isinstance(refusal, Denied) and change.surface != IDENTITY:
            raise
        raise _Step(_refused(app, _saved(app, held), policy, change, refusal, deadline)) from None


def _grew(app: App, incident: Incident, policy: Policy, plan: Plan, deadline: Deadline) -> bool:
    """Whether there is more to close by now, where more was looked at than the one target that was verified last."""
    one_alone = len(plan.targets) <= 1 and not any(one.kind == "nothing_suspect" for one in plan.refusals)
    if one_alone:
        return False
    try:
        return redraw(app, incident, policy, deadline).writes
    except Refused as fault:
        app.log("WARNING", f"what is contained could not be looked at once more: {fault}", incident=incident.id)
        return False


def _saved(app: App, held: StoredIncident) -> StoredIncident:
    """The incident as last saved by us, after an exception lost the newer value."""
    return app.ledger.read(held.incident.id) or held


def _make(app: App, held: StoredIncident, change: Change, deadline: Deadline) -> StoredIncident:
    """One change: written if the settings are still as drafted, verified in any case."""
    surface = app.surfaces[change.surface]
    held = _await_operation(app, held, surface, deadline)
    for attempt in range(_TRIES):
        seen = look(app, held.incident, change.target, deadline)
        if not change.after:
            _require_as_drafted(app, held.incident, change, seen)
        if has_settings(seen.workload.state, change.after):
            return verify(app, held, change, seen, deadline)
        _require_as_drafted(app, held.incident, change, seen)
        if setting := surface.refuses(change, seen.workload, deadline):
            message = f"Cloud Run does not take {setting}"
            raise Unsupported(message, setting)
        check_again(app, held.incident, change.target, seen.standing, deadline)
        _within_limits(app, held.incident, deadline)
        held = _stand(app, held, change, seen)
        bars_now(app, held.incident, change.target, seen.standing)
        try:
            operation = surface.write(change, seen.workload, deadline)
        except (Drifted, Transient) as fault:
            # A stale etag, or an answer that was lost: what is in force now decides, never a blind repeat.
            if attempt == _TRIES - 1 or deadline.passed:
                raise
            app.log("WARNING", f"the write is looked at again: {fault}", incident=held.incident.id)
            time.sleep(deadline.remaining(0.2 * 2**attempt))
            continue
        verifying = replace(held.incident, phase="verifying", operation=operation or None)
        held = app.ledger.save(held, verifying.with_history(app.now_ns(), "firebreak", f"wrote {keys(change)}"))
        held = _await_operation(app, held, surface, deadline)
        return verify(app, held, change, look(app, held.incident, change.target, deadline), deadline)
    message = "the write could not be made in time"
    raise Transient(message)


def _await_operation(app: App, held: StoredIncident, surface: Surface, deadline: Deadline) -> StoredIncident:
    """Poll the saved operation to its end, extending the lease on the way; raises Failed, or Unfinished in the end."""
    while held.incident.operation:
        try:
            surface.wait(held.incident.operation, deadline.sooner(_LEASE_SLICE))
        except Unfinished:
            if deadline.passed:
                raise
            held = app.ledger.save(held, held.incident)
        else:
            held = app.ledger.save(held, replace(held.incident, operation=None))
    return held


def _require_as_drafted(app: App, incident: Incident, change: Change, seen: Seen) -> None:
    """Settings and basis must be those of the draft, or nothing is written."""
    if not has_settings(seen.workload.state, change.before):
        message = f"the settings are no longer those the plan was drafted on ({keys(change)})"
        raise Drifted(message)
    basis = dict(basis_of(seen.case, apply_change(seen.workload.state, change), change.surface))
    differ = sorted(key for key in basis.keys() | change.basis.keys() if basis.get(key) != change.basis.get(key))
    if differ:
        message = f"what the plan rests on has changed: {', '.join(differ)}"
        raise Drifted(message)
    require_closed(app, incident, change, seen)


def _stand(app: App, held: StoredIncident, change: Change, seen: Seen) -> StoredIncident:
    """Record what will stand, compare-and-set, before the write it leads to."""
    plan, incident = held.incident.plan, held.incident
    standing, document = app.ledger.standing(change.target)
    if standing.holds != seen.standing.holds or standing.releasing != seen.standing.releasing:
        message = "another incident came to stand on this target"
        raise Drifted(message)
    steps = plan.steps_on(change.target) if plan else ()
    hold = Hold(incident.id, steps, seen.case.own_suspects, app.now_ns())
    before = seen.workload.state
    holding = replace(standing.with_pending_write(hold, before, apply_change(before, change)), place=change.target)
    if not standing.holds:
        holding = replace(holding, origin_changed_ns=seen.workload.updated_ns)
    # Saved first: a hold that the incident does not know of would never be released.
    held = app.ledger.save(held, replace(incident.with_target(change.target), phase="containing"))
    app.ledger.save_standing(holding, document)
    return held


def _redraft(app: App, held: StoredIncident, policy: Policy, why: str, deadline: Deadline) -> StoredIncident:
    """Draft anew from fresh settings; what a person approved goes on only if the digest is the same."""
    incident = held.incident
    plan = redraw(app, incident, policy, deadline)
    if not plan.changes:
        reasons = "; ".join(f"{one.action}: {one.reason}" for one in plan.refusals)
        return _ended(app, _with_plan(held, plan), "failed", f"{why}; nothing else can be done: {reasons}")
    if incident.answer is None and (caps := tuple(broken_caps(plan))):
        return ask(app, held, policy, plan, caps, why)
    if incident.answer is not None and not is_approved(incident, plan):
        caps = incident.decision.caps if incident.decision else ()
        return ask(app, held, policy, plan, caps, f"{why}{difference(incident, plan)}")
    fresh = replace(incident, plan=plan, operation=None).with_history(app.now_ns(), "firebreak", f"drafted anew: {why}")
    return app.ledger.save(held, fresh)


def _within_limits(app: App, incident: Incident, deadline: Deadline) -> None:
    """What no person approved needs a slot, whatever led to the write; raises Unconfirmed, or Transient."""
    if incident.answer is None and incident.plan is not None:
        for cap in take_slots(app, incident.id, incident.plan, deadline):
            raise Unconfirmed(cap)


def _with_plan(held: StoredIncident, plan: Plan) -> StoredIncident:
    """The held incident with another plan, unsaved."""
    return replace(held, incident=replace(held.incident, plan=plan))


def _unsupported(
    app: App, held: StoredIncident, policy: Policy, change: Change, refusal: Unsupported, deadline: Deadline
) -> StoredIncident:
    """A setting that the API does not take is drafted around; anything else that it refuses is a refusal."""
    if refusal.setting is None or refusal.setting in held.incident.unsupported:
        return _refused(app, held, policy, change, refusal, deadline)
    known = replace(held.incident, unsupported=(*held.incident.unsupported, refusal.setting))
    return _redraft(app, replace(held, incident=known), policy, str(refusal), deadline)


def _refused(
    app: App, held: StoredIncident, policy: Policy, change: Change, refusal: Refused, deadline: Deadline
) -> StoredIncident:
    """The change failed for good: record it, and once, where the policy says `otherwise`, draft that for its target."""
    if isinstance(refusal, Failed) and took_effect(app, held.incident, change, deadline):
        resumed = replace(held.incident, operation=None, phase="containing")
        what = f"the operation ended in an error, yet the change is in effect: {refusal}"
        return app.ledger.save(held, resumed.with_history(app.now_ns(), "firebreak", what))
    incident = held.incident
    held = recorded(app, held, change, refusal, deadline)
    gives_way = tuple(step.action for step in policy.then if step.otherwise and step.action in change.actions)
    if not gives_way or incident.failed_for(change.target) or refusal.status == "Does Not Exist":
        return _ended(app, held, "failed", str(refusal))
    failed_on = {**incident.failed_on, change.target.key: gives_way}
    known = replace(held.incident, failed_on=failed_on, phase="containing")
    return _redraft(app, replace(held, incident=known), policy, str(refusal), deadline)


def _asked_still(app: App, held: StoredIncident, bar: Barred) -> StoredIncident:
    """A person had approved; the question stays, to be answered again once the bar is lifted."""
    incident, question = held.incident, held.incident.question
    expires = question.expires_ns if question else None
    asked = replace(incident, phase="waiting", answer=None, operation=None, next_ns=expires)
    what = f"not carried out: {bar.cap.reason}; approve again once that is lifted"
    return app.ledger.save(held, asked.with_history(app.now_ns(), "firebreak", what))


def _barred(app: App, held: StoredIncident, bar: Barred) -> StoredIncident:
    incident = held.incident
    decision = incident.decision and replace(
        incident.decision, mode=min(incident.decision.mode, bar.cap.mode), caps=(*incident.decision.caps, bar.cap)
    )
    return _ended(app, replace(held, incident=replace(incident, decision=decision)), bar.phase, bar.cap.reason)


def _ended(app: App, held: StoredIncident, phase: Phase, what: str) -> StoredIncident:
    """Save the incident in its new phase, with its announcement."""
    told = held.incident.with_history(app.now_ns(), "firebreak", what)
    return app.ledger.save(held, resting(app, told, phase).with_announcements(channels(app)))


def _summary(plan: Plan) -> str:
    done = ", ".join(step.action for step in plan.steps)
    return f"contained by {done}" if plan.writes else f"nothing new had to be closed ({done})"
