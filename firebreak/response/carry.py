"""Carrying a saved plan out, change by change, each through the gate on what is so now."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.containment.active_containment import Hold
from firebreak.core.containment.drafting import settings_still_to_close
from firebreak.core.containment.gate import Ruling, shown_digest
from firebreak.core.containment.observation import Around, Seen
from firebreak.core.containment.plan import GONE, SUCCESS, Change, Outcome, Plan, has_settings
from firebreak.core.containment.slots import HOUR_NS
from firebreak.core.containment.whole_plan import follows_what_was_shown, plan_for
from firebreak.core.errors import Denied, Drifted, Failed, Missing, Refused, Transient, Unfinished, Unsupported
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Cap
from firebreak.core.policy.policy import Policy
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import StoredIncident
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.blast_radius import give_slots_back, never_wrote, take_slots
from firebreak.response.confirm import Confirmed, confirm
from firebreak.response.decide import all_suspects, replanned, ruling_on
from firebreak.response.holds import policy_of, standing_of
from firebreak.response.move import (
    Halted,
    Pass,
    await_effect,
    await_operation,
    contain,
    operating_on,
    put_back,
    settings_of,
)
from firebreak.response.observe import Readings, observe
from firebreak.response.opened import opened
from firebreak.response.passed import ask_about_passed
from firebreak.response.rest import ask, defer, end

_ANSWER_KEEPS_NS = 3600 * NANOS
"""How long an approval may wait for its write: after that the question is put anew."""

_PAUSE = 0.2
_STILL_RUNS = "the write is still under way"
State = Literal["made", "due", "drifted", "anew"]


def carry(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    """Make the next move of the saved plan; raises Transient, and Away, to be called again."""
    incident, policy = held.incident, policy_of(app, held.incident)
    plan, answer = incident.plan, incident.answer
    old = answer is not None and not _landed_any(incident) and app.now_ns() - answer.at_ns >= _ANSWER_KEEPS_NS
    other = answer is not None and incident.decision is not None and incident.decision.policy_set != app.policies.digest
    if policy is None or plan is None or old or other:
        anew = replace(incident, phase="received", answer=None, operation=None)
        why = "the policies have changed since" if policy is None or other else "it was not carried out in time"
        return app.ledger.save(held, anew.with_history(app.now_ns(), "firebreak", f"decided anew: {why}"))
    failed: Failed | None = None
    try:
        held = await_operation(app, held, readings.deadline)
    except Failed as fault:
        failed = fault
    except Unfinished:
        _tell_of_the_hour(app, held)
        raise
    confirmed = confirm(held.incident, readings)
    held = replace(held, incident=replace(held.incident, events=confirmed.events))
    related = frozenset(incident.decision.related_revisions) if incident.decision else frozenset[str]()
    around = observe(app, held.incident, confirmed.finding, related, policy.then, readings)
    turn = _Turn(app, policy, readings, confirmed, around)
    if failed is not None:
        change = next((one for one in plan.changes if operating_on(held.incident, one)), None)
        held = replace(held, incident=replace(held.incident, operation=None))
        return turn.failed(held, change, failed) if change else app.ledger.save(held, held.incident)
    return turn.go_on(held, plan)


def _tell_of_the_hour(app: App, held: StoredIncident) -> None:
    """A person is told once of a write that is still under way after an hour."""
    latest = _latest(app, held)
    history = latest.incident.history
    wrote = next((one for one in reversed(history) if one.what.startswith("wrote ")), None)
    if wrote is None or app.now_ns() - wrote.at_ns < HOUR_NS or history[-1].what.startswith(_STILL_RUNS):
        return
    what = f"{_STILL_RUNS} after an hour: look at it in Google's console; it is looked at again until it ends"
    app.log("WARNING", what, incident=latest.incident.id)
    told = latest.incident.with_history(app.now_ns(), "firebreak", what)
    app.ledger.save(latest, told.with_announcements(channels(app)))


@dataclass(frozen=True, slots=True)
class _Turn:
    """One look at everything, and the next move that it leads to."""

    app: App
    policy: Policy
    readings: Readings
    confirmed: Confirmed
    around: Around

    def go_on(self, held: StoredIncident, plan: Plan) -> StoredIncident:
        """The changes in their order: what is in effect is recorded, and the first that is due is made."""
        drawn, left = (
            self._drawn(held.incident),
            [one for one in plan.changes if not _recorded(held.incident, plan, one)],
        )
        for change in left:
            # Every target is looked at before any of them is written: what was shown as a whole is done as a whole.
            seen = self.around.seen_of(change.target)
            if seen is None or seen.workload is None or seen.case is None:
                return self._lost(held, change, seen)
            state = self._state(held.incident, change, seen, drawn)
            if state == "anew":
                return self._made_anew(held, change)
            if state == "drifted":
                return self._replanned(
                    held, f"the settings are no longer those the plan was drafted on ({settings_of(change)})", change
                )
        for change in left:
            seen = self.around.seen_of(change.target)
            if seen and self._state(held.incident, change, seen, drawn) == "due":
                more = [one for one in drawn.changes if one.after and not _is_part(one, plan)]
                if more:
                    return self._replanned(held, f"there is more to close: {settings_of(more[0])}")
                return self._make(held, plan, change, seen)
            try:
                seen = await_effect(self.app, change, self.readings, partial(self._again, held.incident, change))
            except Failed as fault:
                return self.failed(held, change, fault)
            except Drifted as fault:
                return self._replanned(held, str(fault), change)
            if new := self._reopened(held.incident, change, seen):
                return self._replanned(held, f"what the steps have to close has grown: {', '.join(new)}")
            held = self._record(held, plan, change, seen)
        return self._finish(held, plan)

    def _state(self, incident: Incident, change: Change, seen: Seen, drawn: Plan) -> State:
        """What has become of a change: made, still due as it was drawn, overtaken by others, or about what is gone."""
        workload = seen.workload
        if workload is None:
            return "drifted"
        drafted = change.basis.get("uid", "")
        if drafted and seen.uid and drafted != seen.uid:
            return "anew"
        if change.after and has_settings(workload.state, change.after):
            return "made"
        same = change in drawn.changes and not self._rolled_back(incident, change)
        return "drifted" if not same else "due" if change.after else "made"

    def _drawn(self, incident: Incident) -> Plan:
        """The policy's plan as it would be drawn now."""
        return plan_for(self.policy.then, self.around, incident, self.app.actions, self.app.policies.digest)

    def _reopened(self, incident: Incident, change: Change, seen: Seen) -> list[str]:
        """What has come to lead to a suspect, or to be closed, since the draft."""
        if seen.workload is None or seen.case is None:
            return []
        steps = incident.plan.steps_on(change.target) if incident.plan else ()
        return [*settings_still_to_close(change, steps, seen.workload.state, seen.case, self.app.actions)]

    def _again(self, incident: Incident, change: Change) -> Seen:
        """A fresh look at the change's target."""
        around = self._look(incident)
        seen = around.seen_of(change.target)
        if seen is None:
            message = f"{change.target.place} does not exist any more"
            raise Missing(message)
        return seen

    def _look(self, incident: Incident) -> Around:
        related = frozenset(incident.decision.related_revisions) if incident.decision else frozenset[str]()
        return observe(self.app, incident, self.confirmed.finding, related, self.policy.then, self.readings)

    def _make(self, held: StoredIncident, plan: Plan, change: Change, seen: Seen) -> StoredIncident:
        """Write one change, if the gate lets the plan through and no person has to be asked first."""
        app, incident = self.app, held.incident
        ruling = ruling_on(app, incident, self.policy, self.confirmed, self.around, plan, self.readings)
        held = _with_ruling(held, ruling)
        if ruling.word in ("wait", "stop"):
            return self._stopped(held, ruling)
        caps = ruling.caps
        if ruling.word == "go" and ruling.slots:
            caps = (*caps, *take_slots(app, incident.id, plan, self.readings.deadline))
        unbelieved = "" if seen.standing else seen.fault  # whoever approved it, the record is not written over
        if ruling.word == "ask" or len(caps) > len(ruling.caps) or unbelieved:
            why = "; ".join(cap.reason for cap in caps if cap.kind == "caution") or "the policy asks"
            return ask(app, held, self.policy, plan, caps, self.around, unbelieved or why)
        try:
            return contain(app, held, change, seen, Pass.of(ruling, plan, self.around.seen), self.readings)
        except Halted as halted:
            if never_wrote(app, incident):
                give_slots_back(app, incident.id, self.readings.deadline)
            return defer(app, _latest(app, held), "halt", str(halted))
        except Drifted as fault:
            if self.readings.lost_another():
                message = f"others keep writing at the same moment: {fault}"
                raise Transient(message) from None
            app.log("WARNING", f"looked at again before the write: {fault}", incident=incident.id)
            return _latest(app, held)
        except Denied as fault:
            return self._refused(_latest(app, held), plan, change, fault)
        except Unsupported as fault:
            if fault.setting is None or fault.setting in incident.unsupported:
                return self.failed(_latest(app, held), change, fault)
            latest = _latest(app, held)
            known = replace(latest.incident, unsupported=(*incident.unsupported, fault.setting))
            return self._replanned(replace(latest, incident=known), str(fault))
        except Refused as fault:
            return self.failed(_latest(app, held), change, fault)
        except Transient as fault:
            # An answer that was lost: what is in force now decides, never a blind repeat.
            if self.readings.deadline.passed or self.readings.lost_another():
                raise
            app.log("WARNING", f"the write is looked at again: {fault}", incident=incident.id)
            time.sleep(self.readings.deadline.remaining(_PAUSE))
            return _latest(app, held)

    def _stopped(self, held: StoredIncident, ruling: Ruling) -> StoredIncident:
        """A bar came up since the decision; what was made before it stays."""
        bar = next(cap for cap in ruling.caps if cap.kind == "bar")
        if never_wrote(self.app, held.incident):
            give_slots_back(self.app, held.incident.id, self.readings.deadline)
        if ruling.word == "wait":
            return defer(self.app, held, bar.name, bar.reason)
        return end(self.app, held, "monitored", bar.reason, self.readings)

    def _made_anew(self, held: StoredIncident, change: Change) -> StoredIncident:
        """The resource that the plan was drawn for is gone; a person says whether its namesake is meant too."""
        reason = f"{change.target.place} was deleted, and another one made in its place: nothing was written"
        plan, around = replanned(self.app, held.incident, self.policy, self.confirmed, self.readings)
        if not plan.changes:
            return end(self.app, held, "failed", f"{reason}; {_refusals(plan)}", self.readings)
        ruling = ruling_on(self.app, held.incident, self.policy, self.confirmed, around, plan, self.readings)
        caps = (*ruling.caps, Cap("made_anew", "caution", reason, change.target.key))
        return ask(self.app, _with_ruling(held, ruling), self.policy, plan, caps, around, reason)

    def _lost(self, held: StoredIncident, change: Change, seen: Seen | None) -> StoredIncident:
        """A target that cannot be read any more: gone, refused for good, or away for so long that a person is asked."""
        plan = held.incident.plan or Plan((), ())
        if seen is not None and seen.away:
            ruling = ruling_on(self.app, held.incident, self.policy, self.confirmed, self.around, plan, self.readings)
            held = _with_ruling(held, ruling)
            why = f"{change.target.place} could not be read: {seen.fault}"
            return ask(self.app, held, self.policy, plan, ruling.caps, self.around, why)
        fault = seen.fault if seen else "it does not exist any more"
        gone = seen is None or seen.gone
        return self._refused(held, plan, change, Missing(fault) if gone else Denied(fault))

    def _replanned(self, held: StoredIncident, why: str, moved: Change | None = None) -> StoredIncident:
        """Draw the plan anew by the same policy. What others opened again where this incident closed it is asked about."""
        app, incident = self.app, held.incident
        plan, around = replanned(app, incident, self.policy, self.confirmed, self.readings)
        if not plan.changes:
            return end(
                app,
                replace(held, incident=replace(incident, plan=plan)),
                "failed",
                f"{why}; {_refusals(plan)}",
                self.readings,
            )
        if (unreferred := around.unreferred(incident.id)) and not _landed_any(incident):
            what = f"{why}; nothing to contain: nothing leads to {unreferred}"
            return end(app, held, "declined", what, self.readings)
        closed = {one.target for one in incident.outcomes if one.status == SUCCESS}
        pending = moved is not None and self._rolled_back(incident, moved)
        if plan.writes and moved is not None and (moved.target.key in closed or pending):
            drift = f"somebody changed what was contained: {why}"
            ruling = ruling_on(app, incident, self.policy, self.confirmed, around, plan, self.readings, drift)
            if ruling.word in ("wait", "stop"):
                return self._stopped(_with_ruling(held, ruling), ruling)
            return ask(
                app, _with_ruling(held, ruling), self.policy, plan, ruling.caps, around, f"{why}; close it again?"
            )
        answer = incident.answer
        failed_on = (
            [one.target for one in incident.plan.changes if incident.failed_for(one.target)] if incident.plan else []
        )
        if answer and incident.plan and failed_on and follows_what_was_shown(incident.plan, plan, failed_on):
            shown = shown_digest(plan, all_suspects(incident, around), incident.counting)
            answer = replace(answer, shown=shown)
        fresh = replace(incident, plan=plan, answer=answer, operation=None, phase="containing")
        return app.ledger.save(held, fresh.with_history(app.now_ns(), "firebreak", f"drafted anew: {why}"))

    def _rolled_back(self, incident: Incident, change: Change) -> bool:
        """Whether a write whose answer was lost, or that was not looked at yet, was overwritten by somebody."""
        seen = self.around.seen_of(change.target)
        if seen is None or seen.workload is None or seen.standing is None:
            return False
        hold = next((one for one in seen.standing.holds if one.incident == incident.id), None)
        if hold is None or (incident.answer is not None and incident.answer.at_ns > hold.taken_ns):
            return False  # nothing was written yet, or whoever answered has seen it
        etag = seen.workload.etags.get(change.surface, "")
        return bool(seen.standing.pending.keys() & change.after.keys()) and seen.standing.etag not in ("", etag)

    def failed(self, held: StoredIncident, change: Change, fault: Refused) -> StoredIncident:
        """The change failed for good, unless it is in effect all the same; once, where the policy says `otherwise`, that."""
        app, readings, incident = self.app, self.readings, held.incident
        readings.forget(change.target)
        plan = incident.plan or Plan((), ())
        if isinstance(fault, Failed):
            seen = self._again(incident, change)
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
            held = self._let_go(held, change, problem)
            if problem:
                fault = Failed(f"{fault}; and what was written could not be put back: {problem}")
        held = self._recorded_refusal(held, plan, change, fault)
        gives_way = tuple(step.action for step in self.policy.then if step.otherwise and step.action in change.actions)
        if not gives_way or incident.failed_for(change.target) or fault.status == GONE:
            return app.ledger.save(held, held.incident)
        failed_on = {**incident.failed_on, change.target.key: gives_way}
        return self._replanned(replace(held, incident=replace(held.incident, failed_on=failed_on)), str(fault))

    def _let_go(self, held: StoredIncident, change: Change, problem: str) -> StoredIncident:
        """The hold goes with the change that failed, where nothing else of it stands there."""
        standing, document = standing_of(self.app, held.incident, change.target)
        if problem or not standing.held_by(held.incident.id):
            return held
        pending = {key: value for key, value in standing.pending.items() if key not in change.after}
        rest = replace(standing, pending=pending)
        if not any(one.status == SUCCESS and one.target == change.target.key for one in held.incident.outcomes):
            rest = rest.without_hold(held.incident.id)
        return self.app.ledger.save(held, held.incident, self.app.ledger.standing_save(rest, document))

    def _refused(self, held: StoredIncident, plan: Plan, change: Change, fault: Refused) -> StoredIncident:
        """What Firebreak may not do, or what is gone, is no outage: the rest goes on, and no `otherwise` follows."""
        held = self._recorded_refusal(held, plan, change, fault)
        return self.app.ledger.save(held, held.incident)

    def _recorded_refusal(self, held: StoredIncident, plan: Plan, change: Change, fault: Refused) -> StoredIncident:
        incident = held.incident
        detail = f"{incident.place_of(change.target)}{fault}"
        names = ", ".join(change.actions)
        left = (
            (f"{incident.place_of(change.target)}{names} was not done: {fault}",) if isinstance(fault, Denied) else ()
        )
        outcome = Outcome(change.surface, fault.status, detail, change.actions, left, change.target.key, plan.digest)
        known = replace(incident, outcomes=(*incident.outcomes, outcome), operation=None, phase="containing")
        what = f"{', '.join(change.actions)} failed: {fault}"
        return replace(held, incident=known.with_history(self.app.now_ns(), "firebreak", what))

    def _record(self, held: StoredIncident, plan: Plan, change: Change, seen: Seen) -> StoredIncident:
        """A change that is in effect: outcome and hold in one commit. Where nothing had to be written, it joins."""
        app, incident, now = self.app, held.incident, self.app.now_ns()
        standing, document = app.ledger.standing(change.target, seen.uid)
        if doing := standing.being_written(incident.id, now):
            message = f"{doing} is being written to the same target"
            raise Transient(message)
        saves = []
        if standing.holds and seen.workload and seen.case:
            steps, refused = plan.steps_on(change.target), tuple(sorted(seen.case.unsupported))
            hold = Hold(incident.id, steps, seen.case.own_suspects, now, unsupported=refused)
            joined = standing.with_hold(hold).with_confirmed_write(seen.workload.state, now, seen.workload.updated_ns)
            saves.append(app.ledger.standing_save(joined, document))
            incident = incident.with_target(change.target)
        who = seen.workload.last_modifier if seen.workload else ""
        by = f", made so by {who}" if who and not standing.holds else ""
        detail = (
            f"verified in effect: {settings_of(change)}" if change.after else f"already so: nothing was written{by}"
        )
        always = (text for step in plan.steps_on(change.target) for text in app.actions[step.action].leaves_open)
        left = tuple(dict.fromkeys((*opened(incident, seen), *always, *_shared(incident, change))))
        place = incident.place_of(change.target)
        outcome = Outcome(change.surface, SUCCESS, place + detail, change.actions, left, change.target.key, plan.digest)
        outcomes = (*(one for one in incident.outcomes if not _same(one, outcome)), outcome)
        known = replace(incident, outcomes=outcomes, still_open=_still_open(outcomes), reopened=())
        return app.ledger.save(held, known, *saves)

    def _finish(self, held: StoredIncident, plan: Plan) -> StoredIncident:
        """Everything was tried: contained, failed, or something grew meanwhile and the plan is drawn anew."""
        app, incident = self.app, held.incident
        tried = [one for one in incident.outcomes if one.plan == plan.digest]
        made = [one for one in tried if one.status == SUCCESS]
        one_alone = len(plan.targets) <= 1 and not any(one.kind == "nothing_suspect" for one in plan.refusals)
        if made and not one_alone:
            self.readings.forget_all()
            again, _ = replanned(app, incident, self.policy, self.confirmed, self.readings)
            refused = {(one.target, one.surface) for one in tried if one.status != SUCCESS}
            if any(one.after and (one.target.key, one.surface) not in refused for one in again.changes):
                undone = next((one for one in plan.changes if self._undone(one)), None)
                why = "while the plan was carried out, something came to lead to a suspect again"
                return self._replanned(held, why, undone)
        if plan.changes and not plan.writes and never_wrote(app, incident):
            give_slots_back(app, incident.id, self.readings.deadline)
        failed = [one for one in tried if one.status != SUCCESS]
        done = replace(incident, done=plan if made else incident.done)
        denied = (line for one in failed for line in one.still_open)
        open_ = (*self._beside(done, plan), *done.still_open, *denied, *_left_undone(plan))
        done = replace(done, still_open=tuple(dict.fromkeys(open_)))
        if failed and not (made and all(one.still_open for one in failed)):
            return end(
                app, replace(held, incident=done), "failed", "; ".join(one.detail for one in failed), self.readings
            )
        held = end(app, replace(held, incident=done), "contained", _summary(plan), self.readings)
        return ask_about_passed(app, held, self.policy, self.confirmed, self.readings)

    def _undone(self, change: Change) -> bool:
        """Whether somebody changed back what was seen in effect a moment ago."""
        seen = self.around.seen_of(change.target)
        return seen is None or seen.workload is None or not has_settings(seen.workload.state, change.after)

    def _beside(self, incident: Incident, plan: Plan) -> tuple[str, ...]:
        """What is open on the finding's own target, where the plan changed only others."""
        own = self.around.own
        return () if plan.changes_to(own.target) else opened(incident, own)


def _with_ruling(held: StoredIncident, ruling: Ruling) -> StoredIncident:
    decision = held.incident.decision
    decided = decision and replace(decision, mode=ruling.mode, caps=ruling.caps)
    return replace(held, incident=replace(held.incident, decision=decided))


def _latest(app: App, held: StoredIncident) -> StoredIncident:
    """The incident as last saved by us, after an exception lost the newer value."""
    return app.ledger.read(held.incident.id) or held


def _landed_any(incident: Incident) -> bool:
    return any(one.status == SUCCESS for one in incident.outcomes)


def _is_part(change: Change, plan: Plan) -> bool:
    """Whether the plan has a change of the same surface of the same target."""
    return any((one.target.key, one.surface) == (change.target.key, change.surface) for one in plan.changes)


def _recorded(incident: Incident, plan: Plan, change: Change) -> bool:
    """Whether it is on record what became of this change of this plan."""
    what = (plan.digest, change.target.key, change.surface)
    return any((one.plan, one.target, one.surface) == what for one in incident.outcomes)


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


def _left_undone(plan: Plan) -> tuple[str, ...]:
    return tuple(f"{one.action} was not done: {one.reason}" for one in plan.refusals if one.kind == "unread")


def _refusals(plan: Plan) -> str:
    return f"nothing else can be done: {'; '.join(f'{one.action}: {one.reason}' for one in plan.refusals)}"


def _summary(plan: Plan) -> str:
    done = ", ".join(step.action for step in plan.steps)
    return f"contained by {done}" if plan.writes else f"nothing new had to be closed ({done})"
