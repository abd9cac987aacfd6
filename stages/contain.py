"""Carry a plan out: fresh reading, last check, standing containment saved, one write, effective state read back."""

from __future__ import annotations

import time
from dataclasses import replace

from adapters.deadline import Deadline
from adapters.surface import Surface
from app import App
from core.case import basis_of
from core.errors import Drifted, Refused, Transient, Unfinished, Unsupported
from core.incident import Incident, Phase
from core.mode import Cap
from core.plan import SUCCESS, Change, Outcome, Plan, overlaid, stands_at
from core.policy import Policy
from core.standing import Hold
from core.target import Target
from core.workload import is_final
from ledger import Held, NotActedOn
from stages.announce import channels
from stages.blast_radius import give_slots_back, take_slots
from stages.last_check import Barred, Unconfirmed, bars_now, check_again
from stages.look import Seen, look
from stages.question import ask, difference
from stages.rest import resting
from stages.verify import keys, looked_around, redraw, verify

_LIFTED = frozenset({"halt", "ceiling", "source", "self"})
"""Bars of our own configuration, which a person may lift while a question stands."""
_TURNS = 6
_TRIES = 4
_LEASE_SLICE = 10.0


def contain(app: App, held: Held, policy: Policy, deadline: Deadline) -> Held:
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
                return held
    return _ended(app, held, "failed", "the settings keep changing under the plan; nothing more is tried")


class _Step(Exception):  # noqa: N818 - one turn ended otherwise than in success
    """The turn ended with this saved incident: a new plan, a question, a bar or a failure."""

    def __init__(self, held: Held) -> None:
        super().__init__(held.incident.phase)
        self.held = held


def _make_all(app: App, held: Held, policy: Policy, deadline: Deadline) -> Held:
    plan = held.incident.plan
    if plan is None:
        return _ended(app, held, "failed", "there is no plan to carry out")
    for change in plan.changes:
        try:
            held = _make(app, held, change, deadline)
        except Barred as bar:
            _let_go(app, held, change, deadline)
            stopped = _asked_still if held.incident.answer and bar.cap.name in _LIFTED else _barred
            raise _Step(stopped(app, _saved(app, held), bar)) from None
        except Unconfirmed as doubt:
            _let_go(app, held, change, deadline)
            raise _Step(ask(app, _saved(app, held), policy, plan, doubt.caps, str(doubt))) from None
        except Drifted as drift:
            raise _Step(_redraft(app, _saved(app, held), policy, str(drift), deadline)) from None
        except NotActedOn as doubt:
            cap = Cap("seal", "caution", str(doubt), unknown=True)
            raise _Step(ask(app, _saved(app, held), policy, plan, (cap,), str(doubt))) from None
        except Unsupported as refusal:
            raise _Step(_unsupported(app, _saved(app, held), policy, change, refusal, deadline)) from None
        except Refused as refusal:
            raise _Step(_refused(app, _saved(app, held), policy, change, refusal, deadline)) from None
    target = held.incident.finding.target
    if plan.changes and not plan.writes and isinstance(target, Target):
        give_slots_back(app, target, held.incident.id)
    done = replace(held.incident, done=plan)
    return _ended(app, replace(held, incident=looked_around(app, done, deadline)), "contained", _summary(plan))


def _saved(app: App, held: Held) -> Held:
    """The incident as last saved by us, after an exception lost the newer value."""
    return app.ledger.read(held.incident.id) or held


def _make(app: App, held: Held, change: Change, deadline: Deadline) -> Held:
    """One change: written if the settings are still as drafted, verified in any case."""
    surface = app.surfaces[change.surface]
    held = _await_operation(app, held, surface, deadline)
    for attempt in range(_TRIES):
        seen = look(app, held.incident, change.target, deadline)
        if not change.after:
            _require_as_drafted(change, seen)
        if stands_at(seen.workload.state, change.after):
            return verify(app, held, change, seen, deadline)
        _require_as_drafted(change, seen)
        if setting := surface.refuses(change, seen.workload, deadline):
            message = f"Cloud Run does not take {setting}"
            raise Unsupported(message, setting)
        check_again(app, held.incident, change.target, seen.standing, deadline)
        held = _stand(app, held, change, seen)
        bars_now(app, held.incident, change.target, seen.standing)
        try:
            operation = surface.write(change, seen.workload, deadline)
        except (Drifted, Transient) as fault:
            # A stale etag, or an answer that was lost: what is in force now decides, never a blind repeat.
            if attempt == _TRIES - 1 or deadline.passed:
                raise
            app.say("WARNING", f"the write is looked at again: {fault}", incident=held.incident.id)
            time.sleep(deadline.remaining(0.2 * 2**attempt))
            continue
        verifying = replace(held.incident, phase="verifying", operation=operation or None)
        held = app.ledger.save(held, verifying.told(app.now_ns(), "firebreak", f"wrote {keys(change)}"))
        held = _await_operation(app, held, surface, deadline)
        return verify(app, held, change, look(app, held.incident, change.target, deadline), deadline)
    message = "the write could not be made in time"
    raise Transient(message)


def _await_operation(app: App, held: Held, surface: Surface, deadline: Deadline) -> Held:
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


def _require_as_drafted(change: Change, seen: Seen) -> None:
    """Settings and basis must be those of the draft, or nothing is written."""
    if not stands_at(seen.workload.state, change.before):
        message = f"the settings are no longer those the plan was drafted on ({keys(change)})"
        raise Drifted(message)
    basis = dict(basis_of(seen.case, overlaid(seen.workload.state, change), change.surface))
    differ = sorted(key for key in basis.keys() | change.basis.keys() if basis.get(key) != change.basis.get(key))
    if differ:
        message = f"what the plan rests on has changed: {', '.join(differ)}"
        raise Drifted(message)


def _stand(app: App, held: Held, change: Change, seen: Seen) -> Held:
    """Record what will stand, compare-and-set, before the write it leads to."""
    plan, incident = held.incident.plan, held.incident
    standing, document = app.ledger.standing(change.target.key)
    if standing.holds != seen.standing.holds or standing.releasing != seen.standing.releasing:
        message = "another incident came to stand on this target"
        raise Drifted(message)
    steps = plan.steps_on(change.target) if plan else ()
    hold = Hold(incident.id, steps, seen.case.own, app.now_ns())
    before = seen.workload.state
    holding = replace(standing.holding(hold, before, overlaid(before, change)), place=change.target)
    if not standing.holds:
        holding = replace(holding, origin_changed_ns=seen.workload.updated_ns)
    # Saved first: a hold that the incident does not know of would never be released.
    held = app.ledger.save(held, replace(incident.also_holding(change.target), phase="containing"))
    app.ledger.stand(holding, document)
    return held


def _redraft(app: App, held: Held, policy: Policy, why: str, deadline: Deadline) -> Held:
    """Draft anew from fresh settings; what a person approved goes on only if the digest is the same."""
    incident = held.incident
    plan = redraw(app, incident, policy, deadline)
    if not plan.changes:
        reasons = "; ".join(f"{one.action}: {one.reason}" for one in plan.refusals)
        return _ended(app, _with_plan(held, plan), "failed", f"{why}; nothing else can be done: {reasons}")
    target = incident.finding.target
    if incident.answer is None and plan.writes and isinstance(target, Target):
        caps = take_slots(app, target, incident.id)
    else:
        caps = ()
    if caps:
        return ask(app, held, policy, plan, caps, why)
    if incident.answer is not None and not _covered(incident, plan):
        caps = incident.decision.caps if incident.decision else ()
        return ask(app, held, policy, plan, caps, f"{why}{difference(incident, plan)}")
    fresh = replace(incident, plan=plan, operation=None).told(app.now_ns(), "firebreak", f"drafted anew: {why}")
    return app.ledger.save(held, fresh)


def _with_plan(held: Held, plan: Plan) -> Held:
    """The held incident with another plan, unsaved."""
    return replace(held, incident=replace(held.incident, plan=plan))


def _covered(incident: Incident, plan: Plan) -> bool:
    """Whether a person approved this plan, what is left to write of theirs, or the fallback that they were shown."""
    if incident.answer is None or incident.plan is None:
        return False
    if plan.digest == incident.answer.digest or _is_rest(incident, plan):
        return True
    shown, now = (
        [(one.target.key, one.surface, dict(one.after), one.actions) for one in changes]
        for changes in (incident.plan.fallback, plan.changes)
    )
    return bool(incident.failed_actions) and shown == now


def _is_rest(incident: Incident, plan: Plan) -> bool:
    """Whether the plan is the approved one without what was carried out of it, or came to its end by itself."""
    if incident.plan is None or incident.answer is None or incident.plan.digest != incident.answer.digest:
        return False
    over = {(one.target, one.surface) for one in incident.outcomes if one.status == SUCCESS}
    over |= {(one.target.key, one.surface) for one in plan.changes if not one.after and is_final(f"{one.surface}.")}
    due = [one for one in incident.plan.changes if (one.target.key, one.surface) not in over]
    return all(one in plan.changes for one in due) and all(one in due for one in plan.changes if one.after)


def _unsupported(
    app: App, held: Held, policy: Policy, change: Change, refusal: Unsupported, deadline: Deadline
) -> Held:
    """A setting that the API does not take is drafted around; anything else that it refuses is a refusal."""
    if refusal.setting is None or refusal.setting in held.incident.unsupported:
        return _refused(app, held, policy, change, refusal, deadline)
    known = replace(held.incident, unsupported=(*held.incident.unsupported, refusal.setting))
    return _redraft(app, replace(held, incident=known), policy, str(refusal), deadline)


def _refused(app: App, held: Held, policy: Policy, change: Change, refusal: Refused, deadline: Deadline) -> Held:
    """The change failed for good: record it, and once, where the policy says `otherwise`, draft that."""
    incident = held.incident
    detail = f"{incident.place_of(change.target)}{refusal}"
    outcome = Outcome(change.surface, refusal.status, detail, change.actions, (), change.target.key)
    known = replace(incident, outcomes=(*incident.outcomes, outcome), operation=None)
    known = known.told(app.now_ns(), "firebreak", f"{', '.join(change.actions)} failed: {refusal}")
    _let_go(app, held, change, deadline)
    gives_way = tuple(step.action for step in policy.then if step.otherwise and step.action in change.actions)
    if not gives_way or incident.failed_actions or refusal.status == "Does Not Exist":
        return _ended(app, replace(held, incident=known), "failed", str(refusal))
    known = replace(known, failed_actions=gives_way, phase="containing")
    return _redraft(app, replace(held, incident=known), policy, str(refusal), deadline)


def _let_go(app: App, held: Held, change: Change, deadline: Deadline) -> None:
    """Give the hold up again if nothing of the plan is in the settings: other changes of it may stand."""
    try:
        standing, document = app.ledger.standing(change.target.key)
    except NotActedOn:
        return
    if document is None or not standing.held_by(held.incident.id):
        return
    try:
        now = app.read(change.target, deadline.sooner(10)).state
    except (Refused, Transient):
        return
    plan = held.incident.plan
    here = (*(plan.changes_to(change.target) if plan else ()), change)
    wished = {key: value for one in here for key, value in one.after.items()}
    never = change.after and not any(now.get(key) == value for key, value in wished.items())
    made = (one.status == SUCCESS and one.target == change.target.key for one in held.incident.outcomes)
    if never and not any(made):
        pending = {key: value for key, value in standing.pending.items() if key not in wished}
        app.ledger.stand(replace(standing.without(held.incident.id), pending=pending), document)


def _asked_still(app: App, held: Held, bar: Barred) -> Held:
    """A person had approved; the question stays, to be answered again once the bar is lifted."""
    incident, question = held.incident, held.incident.question
    expires = question.expires_ns if question else None
    asked = replace(incident, phase="waiting", answer=None, operation=None, next_ns=expires)
    what = f"not carried out: {bar.cap.reason}; approve again once that is lifted"
    return app.ledger.save(held, asked.told(app.now_ns(), "firebreak", what))


def _barred(app: App, held: Held, bar: Barred) -> Held:
    incident = held.incident
    decision = incident.decision and replace(
        incident.decision, mode=min(incident.decision.mode, bar.cap.mode), caps=(*incident.decision.caps, bar.cap)
    )
    return _ended(app, replace(held, incident=replace(incident, decision=decision)), bar.phase, bar.cap.reason)


def _ended(app: App, held: Held, phase: Phase, what: str) -> Held:
    """Save the incident in its new phase, with its announcement."""
    told = held.incident.told(app.now_ns(), "firebreak", what)
    return app.ledger.save(held, resting(app, told, phase).announcing(channels(app)))


def _summary(plan: Plan) -> str:
    done = ", ".join(step.action for step in plan.steps)
    return f"contained by {done}" if plan.writes else f"nothing new had to be closed ({done})"
