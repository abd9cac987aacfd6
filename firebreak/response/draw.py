"""A policy's plan on what is so now, and what has become of one that was saved."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.drafting import settings_still_to_close
from firebreak.core.containment.gate import Ruling
from firebreak.core.containment.observation import Around, Seen
from firebreak.core.containment.plan import SUCCESS, Change, Plan, has_settings
from firebreak.core.containment.whole_plan import plan_for
from firebreak.core.errors import Missing, Refused, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.still_open import opened
from firebreak.core.policy.policy import Policy, Step
from firebreak.ledger.records import StoredIncident
from firebreak.response.app import App
from firebreak.response.confirm import Confirmed, confirm
from firebreak.response.observe import observe
from firebreak.response.readings import Away, Readings

_MOST_REFUGES = 10
"""How many are asked about, one after the other, before a person is."""


def draw(
    app: App,
    incident: Incident,
    finding: Finding,
    related: frozenset[str],
    steps: Iterable[Step],
    readings: Readings,
    *,
    complete: bool,
) -> tuple[Plan, Around]:
    """The plan of these steps, and what it was drawn on; raises Away.

    `complete` says whether `related` are all that related findings name on the finding's own target. Where not, and in
    further regions, a refuge is asked about by its name: one that SCC holds a threat on is suspect, and one of which it
    has no answer is for a person to judge.
    """
    steps = tuple(steps)
    asked: set[tuple[str, str]] = set()
    while True:
        around = observe(app, incident, finding, related, steps, readings)
        plan = plan_for(steps, around, incident, app.actions, app.policies.digest)
        refuges = {(one.target.key, name): one.target for one in plan.moves for name in one.turns_to}
        own = around.own.target.key
        new = {one: place for one, place in refuges.items() if one not in asked and not (complete and one[0] == own)}
        if not new:
            break
        unknown = _unvouched(app, new, finding, readings)
        asked |= new.keys()
        if unknown or len(asked) > _MOST_REFUGES:
            return plan, replace(around, unvouched=tuple(sorted(unknown or {name for _, name in new})))
        if not any(name in readings.threatened.get(key, ()) for key, name in new):
            break
    return plan, around


def _unvouched(
    app: App, refuges: dict[tuple[str, str], Target], finding: Finding, readings: Readings
) -> frozenset[str]:
    """Ask about each of them, and keep what is threatened among the readings; those of which there is no answer."""
    place = replace(finding.name, container=f"organizations/{app.organization(finding.name)}")
    unknown = set[str]()
    for (key, revision), target in refuges.items():
        try:
            found = app.scc.threatens(
                target, revision, place, app.policies.config.sources, readings.deadline.sooner(10)
            )
        except Transient as fault:
            if readings.waits_for("SCC"):
                raise Away("SCC", fault) from None
            unknown.add(revision)
        except Refused:
            unknown.add(revision)
        else:
            if found:
                readings.threatened[key] = readings.threatened.get(key, frozenset()) | {revision}
    return frozenset(unknown)


State = Literal["made", "due", "drifted", "anew"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One look at everything, from which the next move of a saved plan follows."""

    app: App
    policy: Policy
    readings: Readings
    confirmed: Confirmed
    around: Around
    at: float
    """When SCC had answered, by the monotonic clock: the oldest of what it goes by."""

    @classmethod
    def of(cls, app: App, held: StoredIncident, policy: Policy, readings: Readings) -> tuple[Turn, StoredIncident]:
        """A look at everything, and the incident with what SCC says of its events."""
        confirmed, at = confirm(held.incident, readings), time.monotonic()
        held = replace(held, incident=replace(held.incident, events=confirmed.events))
        around = observe(app, held.incident, confirmed.finding, related_to(held.incident), policy.then, readings)
        return cls(app, policy, readings, confirmed, around, at), held

    def drawn(self, incident: Incident) -> Plan:
        """The policy's plan as it would be drawn now."""
        return plan_for(self.policy.then, self.around, incident, self.app.actions, self.app.policies.digest)

    def state(self, incident: Incident, change: Change, seen: Seen, drawn: Plan) -> State:
        """What has become of a change: made, still due as it was drawn, overtaken by others, or about what is gone."""
        workload = seen.workload
        if workload is None:
            return "drifted"
        drafted = change.basis.get("uid", "")
        if drafted and seen.uid and drafted != seen.uid:
            return "anew"
        if change.after and has_settings(workload.state, change.after):
            return "made"
        same = change in drawn.changes and not self.rolled_back(incident, change)
        return "drifted" if not same else "due" if change.after else "made"

    def again(self, incident: Incident, change: Change) -> Seen:
        """A fresh look at the change's target."""
        finding, related = self.confirmed.finding, related_to(incident)
        around = observe(self.app, incident, finding, related, self.policy.then, self.readings)
        seen = around.seen_of(change.target)
        if seen is None:
            message = f"{change.target.place} does not exist any more"
            raise Missing(message)
        return seen

    def rolled_back(self, incident: Incident, change: Change) -> bool:
        """Whether a write whose answer was lost, or that was not looked at yet, was overwritten by somebody."""
        seen = self.around.seen_of(change.target)
        if seen is None or seen.workload is None or seen.standing is None:
            return False
        hold = next((one for one in seen.standing.holds if one.incident == incident.id), None)
        if hold is None or (incident.answer is not None and incident.answer.at_ns > hold.taken_ns):
            return False  # nothing was written yet, or whoever answered has seen it
        etag = seen.workload.etags.get(change.surface, "")
        return bool(seen.standing.pending.keys() & change.after.keys()) and seen.standing.etag not in ("", etag)

    def reopened(self, incident: Incident, change: Change, seen: Seen) -> list[str]:
        """What has come to lead to a suspect, or to be closed, since the draft."""
        if seen.workload is None or seen.case is None:
            return []
        steps = incident.plan.steps_on(change.target) if incident.plan else ()
        return [*settings_still_to_close(change, steps, seen.workload.state, seen.case, self.app.actions)]

    def undone(self, change: Change) -> bool:
        """Whether somebody changed back what was seen in effect a moment ago."""
        seen = self.around.seen_of(change.target)
        return seen is None or seen.workload is None or not has_settings(seen.workload.state, change.after)

    def beside(self, incident: Incident, plan: Plan) -> tuple[str, ...]:
        """What is open on the finding's own target, where the plan changed only others."""
        own = self.around.own
        return () if plan.changes_to(own.target) else opened(incident, own)


def with_ruling(held: StoredIncident, ruling: Ruling) -> StoredIncident:
    """The incident with the mode and the caps of the ruling."""
    decision = held.incident.decision
    decided = decision and replace(decision, mode=ruling.mode, caps=ruling.caps)
    return replace(held, incident=replace(held.incident, decision=decided))


def latest(app: App, held: StoredIncident) -> StoredIncident:
    """The incident as last saved by us, after an exception lost the newer value; what is held where none was."""
    saved = app.ledger.read(held.incident.id)
    ours = saved and saved.incident.owner == app.ledger.owner and saved.document.version != held.document.version
    return saved if saved and ours else held


def landed_any(incident: Incident) -> bool:
    """Whether anything of it was seen in effect."""
    return any(one.status == SUCCESS for one in incident.outcomes)


def related_to(incident: Incident) -> frozenset[str]:
    """The revisions that the decision found related."""
    return frozenset(incident.decision.related_revisions) if incident.decision else frozenset()
