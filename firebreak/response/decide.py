"""From what SCC confirms to a decision and a plan: gather evidence, choose a policy, draft, and ask the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from firebreak import VERSION
from firebreak.core.actions.suspects import named_revisions
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.canary import Canary
from firebreak.core.containment.gate import Ruling, gate
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.observation import Around
from firebreak.core.containment.plan import GONE, Outcome, Plan
from firebreak.core.containment.rested_on import rested_on
from firebreak.core.facts import Evidence, merged
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.related import RelatedFindings
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.evidence_record import evidence_record
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.question import shown_digest
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import Policy
from firebreak.core.policy.selection import Choice, choose, outstanding_matters
from firebreak.core.policy.trace import bounded_trace
from firebreak.core.policy.triage import facts_of
from firebreak.ledger.records import NotActedOn
from firebreak.response.app import App
from firebreak.response.confirm import Confirmed
from firebreak.response.draw import draw
from firebreak.response.observe import Gathering, gather
from firebreak.response.readings import Away, Readings


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided incident, not yet saved; what the gate says of its plan, and the sources still being waited for."""

    incident: Incident
    policy: Policy | None
    around: Around
    ruling: Ruling
    gathering: Gathering


def decide(
    app: App,
    incident: Incident,
    confirmed: Confirmed,
    readings: Readings,
    *,
    asked: Gathering | None = None,
    at_most: Mode = Mode.ENFORCE,
) -> Decided:
    """Gather until the evidence suffices, choose a policy, draft its plan, and ask the gate; raises Away.

    `asked` are the sources as they were asked about what the message tells: where SCC tells anything else they are
    asked anew. `at_most` bounds what the policies may want: where a question expired, nothing is done alone.
    """
    finding, now_ns = confirmed.finding, app.now_ns()
    unheld = confirmed.trust not in ("confirmed", "unreachable")
    known = asked if asked is not None and asked.finding == finding else None
    gathering = known or gather(app, finding, readings, unheld=unheld)
    evidence = gathering.until_it_suffices(lambda known, open_: _matters(app, finding, known, open_, now_ns))
    own = facts_of(finding, app.policies)
    choice = choose(app.policies.to_try(own), own | merged(evidence), now_ns)
    if isinstance(workload := _detail(evidence, "workload", Workload), Workload):
        readings.keep(workload, gathering.started)
    _require_related(choice.policy, evidence, readings)
    found = _detail(evidence, "related", RelatedFindings)
    related = named_revisions(found.allowed if found else (), app.policies.config.sources)
    steps = choice.policy.then if choice.policy else ()
    about = replace(incident, finding=finding, events=confirmed.events, failed_actions=())
    if incident.answer is None:
        about = replace(about, failed_on={})
    complete = found is not None and found.complete
    drawn, around = draw(app, about, finding, related, steps, readings, complete=complete)
    related |= readings.threatened.get(around.own.target.key, frozenset())
    plan = _drawn(app, about, drawn) if choice.policy else None
    about = replace(
        about,
        evidence=tuple(evidence_record(one) for one in (*evidence, *gathering.unanswered)),
        verdict=assess(finding, evidence),
        plan=plan,
        decision=_decision(app, about, choice, around, related, evidence, at_most),
        uid=around.own.uid or incident.uid,
        uids=_first_uids(incident, around),
        outcomes=_gone(around, incident.outcomes),
    )
    about = replace(about, events=_with_suspects(about, around))
    for one in around.seen:
        if one.standing and one.standing.held_by(about.id):  # also where the record that said so had to be begun anew
            about = about.with_target(one.target)
    ruling = ruling_on(about, choice.policy, confirmed, around, plan, readings)
    decision = about.decision and replace(about.decision, mode=ruling.mode, caps=ruling.caps)
    kept = rested_on(ruling.given, around.seen)
    return Decided(replace(about, decision=decision, rested_on=kept), choice.policy, around, ruling, gathering)


def _matters(
    app: App, finding: Finding, known: tuple[Evidence, ...], outstanding: frozenset[str], now_ns: int
) -> frozenset[str]:
    """Sources that shape plans always matter; the others only while they could change policy or mode."""
    shaping = frozenset(name for name in outstanding if app.enrichers[name].shapes_plan)
    facts = facts_of(finding, app.policies) | merged(known)
    return shaping | outstanding_matters(app.policies.about(facts), facts, outstanding, now_ns)


def _require_related(policy: Policy | None, evidence: tuple[Evidence, ...], readings: Readings) -> None:
    """What other findings name is suspect too, so that a plan is not drawn while they may still be read."""
    away = next((one for one in evidence if one.source == "related" and one.away), None)
    if away is not None and policy is not None and policy.mode is not Mode.MONITOR and readings.waits_for("SCC"):
        raise Away("SCC", away.gap)


def _gone(around: Around, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    gone = [one for one in around.seen if one.gone]
    if not gone:
        return outcomes
    return tuple(Outcome(one.target.kind, GONE, f"the target does not exist: {one.fault}") for one in gone)


def _first_uids(incident: Incident, around: Around) -> Mapping[str, str]:
    """Which resource each target was when the incident first looked at it."""
    before = {around.own.target.key: incident.uid} if incident.uid else {}
    return {**{one.target.key: one.uid for one in around.seen if one.uid}, **(incident.uids or before)}


def _with_suspects(incident: Incident, around: Around) -> tuple[Any, ...]:
    """The events, each decided but for those that SCC does not hold yet; the newest that counts has the suspects.

    Not where it gives none itself: that is asked about.
    """
    none = around.own.case is not None and around.own.case.suspicion.unplaced
    newest = max((one for one in incident.events if one.status == "counts"), key=lambda one: one.event_ns, default=None)
    return tuple(
        replace(
            one,
            decided=one.decided or one.status != "unconfirmed",
            suspects=_joined(one.suspects, around.suspects) if one is newest and not none else one.suspects,
            severity=one.severity or (incident.finding.severity if one is newest else ""),
        )
        for one in incident.events
    )


def _joined(one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(sorted({*one.get(key, ()), *other.get(key, ())})) for key in one.keys() | other.keys()}


def _decision(
    app: App,
    incident: Incident,
    choice: Choice,
    around: Around,
    related: frozenset[str],
    evidence: tuple[Evidence, ...],
    at_most: Mode,
) -> Decision:
    wanted, case = min(choice.mode or Mode.MONITOR, at_most), around.own.case
    return Decision(
        policy=choice.policy.id if choice.policy else None,
        mode=wanted,
        wanted=wanted,
        caps=(),
        trace=bounded_trace(choice),
        reasons=choice.reasons,
        policy_set=app.policies.digest,
        version=VERSION,
        notify=choice.policy.notify if choice.policy else (),
        suspects=tuple(sorted(case.own_suspects)) if case else (),
        suspects_because=case.suspicion.reason if case else "",
        related_revisions=tuple(sorted(related)),
        gaps=tuple(one.source for one in evidence if one.gap and (one.detail is None or one.source == "related")),
        age_ns=_age_ns(app, incident),
    )


def _age_ns(app: App, incident: Incident) -> int:
    """Of the newest event that counts: when it was first seen, or now where it had to wait."""
    counting = [one for one in incident.events if one.status == "counts"] or list(incident.events)
    newest = max(counting, key=lambda one: one.event_ns, default=None)
    if newest is None:
        return incident.created_ns - incident.finding.event_ns
    return (newest.seen_ns if incident.waits is None else app.now_ns()) - newest.event_ns


def ruling_on(
    incident: Incident,
    policy: Policy | None,
    confirmed: Confirmed,
    around: Around,
    plan: Plan | None,
    readings: Readings,
    drift: str = "",
) -> Ruling:
    """What the gate says of a plan, on what is so now."""
    app, decision = readings.app, incident.decision
    if decision is None:
        message = "nothing is written before it was decided"
        raise TypeError(message)
    changes = (*plan.changes, *plan.fallback) if plan else ()
    accounts = {one.target.name: one.target for one in changes if one.surface == IDENTITY and one.after}
    given = GuardInput(
        finding=confirmed.finding,
        trust=confirmed.trust,
        trust_reason=confirmed.reason,
        ceilings=app.ceilings(),
        config=app.policies.config,
        own=app.settings.own,
        now_ns=app.now_ns(),
        age_ns=decision.age_ns,
        seen=tuple(one for one in around.seen if one.target.name),
        related_known="related" not in decision.gaps,
        steps=policy.then if policy else (),
        incident=incident.id,
        contained_before=incident.done is not None,
        gaps=tuple(one for one in decision.gaps if one != "workload" or around.own.workload is None),
        unread_regions=around.unread_regions,
        users={name: readings.users_of(one, around.own.target) for name, one in accounts.items()},
        away=_away(decision, readings),
        uids=incident.uids,
        unvouched=around.unvouched,
        canary=_canary_of(app, confirmed.finding, around.own.uid),
        drift=drift,
    )
    shown = shown_digest(plan, all_suspects(incident, around), incident.counting) if plan else ""
    return gate(given, plan, app.actions, decision.wanted if policy else Mode.MONITOR, incident.answer, shown)


def _away(decision: Decision, readings: Readings) -> tuple[str, ...]:
    """What is not waited for any more; whether SCC confirms is a caution of its own."""
    related = ("related findings in SCC",) if "SCC" in readings.given_up and "related" in decision.gaps else ()
    return (*sorted(readings.given_up - {"SCC"}), *related)


def all_suspects(incident: Incident, around: Around) -> Mapping[str, tuple[str, ...]]:
    """Key of each target to its suspects, those that were found before with those that are found now."""
    found: Mapping[str, tuple[str, ...]] = around.suspects
    for one in incident.events:
        if one.status == "counts":
            found = _joined(found, one.suspects)
    return found


def replanned(incident: Incident, policy: Policy, confirmed: Confirmed, readings: Readings) -> tuple[Plan, Around]:
    """The same policy's plan, drawn anew on what is so now; raises Away."""
    app, decision = readings.app, incident.decision
    related = frozenset(decision.related_revisions) if decision else frozenset[str]()
    complete = decision is not None and "related" not in decision.gaps
    plan, around = draw(app, incident, confirmed.finding, related, policy.then, readings, complete=complete)
    return _drawn(app, incident, plan), around


def _drawn(app: App, incident: Incident, plan: Plan) -> Plan:
    """The plan, with an alert for each action that is at fault itself."""
    for one in plan.refusals:
        if one.kind == "fault":
            app.log("ERROR", f"a fault in Firebreak itself, in {one.action}: {one.reason}", incident=incident.id)
    return plan


def _detail(evidence: tuple[Evidence, ...], source: str, kind: type[Any]) -> Any:  # noqa: ANN401 - checked by `kind`
    found = next((one.detail for one in evidence if one.source == source), None)
    return found if isinstance(found, kind) else None


def _canary_of(app: App, finding: Finding, uid: str) -> Canary | None:
    """What is known of the canary with this uid, for a finding of the drill's source; None where it is none.

    Raises Transient.
    """
    drill = app.policies.config.drill
    if drill is None or finding.name.source != drill.source or not uid:
        return None
    try:
        return app.ledger.canary(uid)
    except NotActedOn as fault:
        app.log("ERROR", f"not taken as a drill's canary: {fault}")
        return None
