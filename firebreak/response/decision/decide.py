"""From a claimed finding to a decision and a plan: confirm it with SCC, gather evidence, choose, draft, guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from firebreak import VERSION
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import named_revisions
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.cloud_run.workload import Gone, Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.guard_input import AdditionalTarget, GuardInput
from firebreak.core.containment.guards import caps_for
from firebreak.core.containment.plan import GONE, Outcome, Plan, StepRefusal
from firebreak.core.errors import Refused
from firebreak.core.facts import Evidence, merged
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.incident import Incident, evidence_record
from firebreak.core.mode import Mode, capped
from firebreak.core.policy.policy import Policy
from firebreak.core.policy.selection import Choice, Considered, choose, outstanding_matters
from firebreak.core.secrets.redaction import LONGEST_LIST
from firebreak.core.ternary import Truth
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.decision.blast_radius import take_slots
from firebreak.response.decision.confirm import Confirmed
from firebreak.response.decision.draw import Drawing, draw
from firebreak.response.decision.gather import Gathering
from firebreak.response.decision.look import Known, Seen, edit_context_seen, images_of, wait_for_others
from firebreak.response.set_aside import set_aside

UNREACHABLE_FOR_NS = 600 * NANOS
_MOST_TRACED = 30


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided incident, not yet saved, the sources still being waited for, and what was read of further targets."""

    incident: Incident
    policy: Policy | None
    gathering: Gathering
    further: tuple[Workload, ...] = ()


def decide(app: App, held: StoredIncident, confirmed: Confirmed, deadline: Deadline) -> Decided:
    """Gather until the evidence suffices, choose a policy, draft its plan, and lower the mode by every guard."""
    finding, incident = confirmed.finding, held.incident
    now_ns = app.now_ns()
    gathering = Gathering.start(finding, app.sources, app.enrichers, deadline, app.log)
    evidence = gathering.until_it_suffices(lambda known, open_: _matters(app, finding, known, open_, now_ns))
    choice = choose(app.policies.to_try(finding.facts()), finding.facts() | merged(evidence), now_ns)
    workload = _detail(evidence, "workload", Workload)
    related = _detail(evidence, "related", tuple)
    named = named_revisions(related or ())
    standing, fault = _standing(app, finding.target)
    case = edit_context_seen(finding, workload, Known(named), standing) if workload else None
    about = replace(incident, finding=finding, failed_actions=(), failed_on={})
    drawn = _draw(app, about, choice, workload, case, standing, named, deadline)
    if workload and standing and drawn and drawn.plan.writes and standing.held_by_others(incident.id):
        # The settings were read before what stands was: others may have closed by now what this plan would close.
        wait_for_others(app, incident, standing)
        workload = _again(app, workload, deadline)
        case = edit_context_seen(finding, workload, Known(named), standing)
        drawn = _draw(app, about, choice, workload, case, standing, named, deadline)
    plan = drawn.plan if drawn else None
    situation = _situation(app, held, confirmed, choice, evidence, workload, case)
    situation = replace(situation, standing=standing, standing_fault=fault)
    situation = _seen_further(app, situation, drawn, deadline) if drawn else situation
    decision = _decision(app, choice, situation, plan, named)
    decision = _within_limits(app, incident.id, decision, plan, deadline)
    shown = tuple(evidence_record(one) for one in evidence)
    verdict = assess(finding, evidence)
    decided = replace(incident, finding=finding, evidence=shown, verdict=verdict, decision=decision, plan=plan)
    if gone := _detail(evidence, "workload", Gone):
        outcome = Outcome(_kind(finding.target), GONE, f"the target does not exist: {gone.reason}")
        decided = replace(decided, outcomes=(outcome,))
    return Decided(decided, choice.policy, gathering, tuple(one.workload for one in drawn.further) if drawn else ())


def _again(app: App, workload: Workload, deadline: Deadline) -> Workload:
    """A fresh reading; where there is none to be had, the one there is, which the write does not rest on anyway."""
    try:
        return app.read(workload.target, deadline.sooner(10))
    except Refused:
        return workload


def _matters(
    app: App, finding: Finding, known: tuple[Evidence, ...], outstanding: frozenset[str], now_ns: int
) -> frozenset[str]:
    """Sources that shape plans always matter; the others only while they could change policy or mode."""
    shaping = frozenset(name for name in outstanding if app.enrichers[name].shapes_plan)
    facts = finding.facts() | merged(known)
    return shaping | outstanding_matters(app.policies.about(facts), facts, outstanding, now_ns)


def _draw(  # noqa: PLR0913, PLR0917 - a drawing rests on all of them
    app: App,
    about: Incident,
    choice: Choice,
    workload: Workload | None,
    case: EditContext | None,
    standing: Standing | None,
    named: frozenset[str],
    deadline: Deadline,
) -> Drawing | None:
    if choice.policy is None:
        return None
    if workload is None or case is None:
        reason = f"the settings of this {_kind(about.finding.target).replace('_', ' ')} could not be read"
        return Drawing(Plan((), (), tuple(StepRefusal(step.action, reason) for step in choice.policy.then)))
    seen = Seen(workload, case, standing or Standing(workload.target.key))
    return draw(app, about, choice.policy, seen, Known(named, case.suspicion, images_of(case)), deadline)


def _seen_further(app: App, situation: GuardInput, drawn: Drawing, deadline: Deadline) -> GuardInput:
    """The situation with what was learned of further targets, and who else uses what would be taken from all."""
    places = tuple(AdditionalTarget(one.workload.target, one.case, one.standing, one.workload) for one in drawn.further)
    fault = situation.standing_fault or drawn.broken
    changes = (*drawn.plan.changes, *drawn.plan.fallback)
    accounts = {one.target.name: one.target for one in changes if one.surface == IDENTITY and one.after}
    users = {name: app.account_users.users_of(one, situation.target, deadline) for name, one in accounts.items()}
    return replace(situation, further=places, unread_regions=drawn.unread, standing_fault=fault, users=users)


def _kind(target: Target | NotATarget) -> str:
    return target.kind if isinstance(target, Target) else "target"


def _situation(
    app: App,
    held: StoredIncident,
    confirmed: Confirmed,
    choice: Choice,
    evidence: tuple[Evidence, ...],
    workload: Workload | None,
    case: EditContext | None,
) -> GuardInput:
    finding = confirmed.finding
    target = finding.target
    if isinstance(target, NotATarget):
        raise TypeError(target.reason)
    return GuardInput(
        finding=finding,
        target=target,
        trust=confirmed.trust,
        trust_reason=confirmed.reason,
        ceilings=app.ceilings(),
        config=app.policies.config,
        own=app.settings.own,
        claimed_ns=held.claimed_ns,
        workload=workload,
        case=case,
        related_known=_detail(evidence, "related", tuple) is not None,
        steps=choice.policy.then if choice.policy else (),
        standing=None,
        incident="" if held.joined else held.incident.id,
        gaps=tuple(one.source for one in evidence if one.detail is None and one.gap),
    )


def _standing(app: App, target: Target | NotATarget) -> tuple[Standing | None, str | None]:
    """What stands on the target, or why it cannot be trusted."""
    if isinstance(target, NotATarget):
        return None, None
    try:
        return app.ledger.standing(target)[0], None
    except NotActedOn as fault:
        set_aside(app, fault)
        return None, str(fault)


def _decision(app: App, choice: Choice, situation: GuardInput, plan: Plan | None, named: frozenset[str]) -> Decision:
    wanted = choice.mode or Mode.MONITOR
    caps = caps_for(situation, plan, app.actions) if choice.policy else ()
    case = situation.case
    return Decision(
        policy=choice.policy.id if choice.policy else None,
        mode=capped(wanted, caps),
        wanted=wanted,
        caps=caps,
        trace=_bounded_trace(choice),
        reasons=choice.reasons,
        policy_set=app.policies.digest,
        version=VERSION,
        notify=choice.policy.notify if choice.policy else (),
        suspects=tuple(sorted(case.own_suspects)) if case else (),
        suspects_because=case.suspicion.reason if case else "",
        related_revisions=tuple(sorted(named)),
        suspect_rule=case.suspicion.rule if case else "unplaced",
        suspect_images=tuple(sorted(images_of(case))) if case else (),
        suspects_elsewhere={
            one.target.key: tuple(sorted(one.case.own_suspects)) for one in situation.further if one.case.own_suspects
        },
    )


def _within_limits(app: App, incident_id: str, decision: Decision, plan: Plan | None, deadline: Deadline) -> Decision:
    """The last guard takes slots where all others leave ENFORCE and something would be written."""
    if decision.mode is not Mode.ENFORCE or plan is None or not plan.writes:
        return decision
    caps = take_slots(app, incident_id, plan, deadline)
    return replace(decision, mode=capped(decision.mode, caps), caps=(*decision.caps, *caps))


def _bounded_trace(choice: Choice) -> tuple[Mapping[str, Any], ...]:
    """Every policy that may match, and as many of the others as a record has room for, in the order of trial."""
    room = _MOST_TRACED
    kept = []
    for one in choice.trace:
        decisive = one.truth is not Truth.FALSE
        if decisive or room > 0:
            kept.append(_traced(one))
            room -= not decisive
    return tuple(kept[:LONGEST_LIST])


def _traced(considered: Considered) -> Mapping[str, Any]:
    clauses = [
        {
            "fact": one.fact,
            "operator": str(one.operator),
            "wanted": _json(one.operand),
            "value": _json(one.value),
            "truth": one.truth.word,
            "within": one.within,
        }
        for one in considered.trace
    ]
    return {
        "policy": considered.policy,
        "mode": considered.mode.word,
        "truth": considered.truth.word,
        "clauses": clauses,
    }


def _json(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, tuple | frozenset):
        return [_json(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _detail(evidence: tuple[Evidence, ...], source: str, kind: type[Any]) -> Any:  # noqa: ANN401 - checked by `kind`
    found = next((one.detail for one in evidence if one.source == source), None)
    return found if isinstance(found, kind) else None
