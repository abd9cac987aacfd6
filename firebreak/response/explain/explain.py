"""What would be decided about a finding, and why, by the function's own stages; nothing is written anywhere."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.facts import Catalogue, Evidence, Facts, FactValue, merged
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import Notification
from firebreak.core.incidents.decision import Decision, Shadowed
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Cap, capped
from firebreak.core.policy.condition import match
from firebreak.core.policy.policy import Policy, PolicySet
from firebreak.core.policy.selection import Considered
from firebreak.core.policy.triage import facts_of, reason_to_decline, settled_in_scc
from firebreak.policy_language.reading.assumptions import Assumed
from firebreak.ports.deadline import Deadline
from firebreak.ports.enrichment import Enricher, EnrichmentClients
from firebreak.ports.offline import offline_clients
from firebreak.response.app import App
from firebreak.response.confirm import Confirmed, confirm
from firebreak.response.decide import decide
from firebreak.response.observe import Gathering
from firebreak.response.readings import impatient
from firebreak.response.shadow import in_shadow

_FIELDS = {"finding.category": "category", "finding.severity": "severity", "finding.class": "finding_class"}


@dataclass(frozen=True, slots=True)
class Supposed(Finding):
    """A finding of which somebody supposes something."""

    assumed: Assumed = field(default_factory=Assumed)

    def facts(self) -> dict[str, FactValue]:
        """The finding's own, with what is supposed in their place."""
        return self.assumed.over("finding", Finding.facts(self))


@dataclass(frozen=True, slots=True)
class View:
    """What one set of policies makes of the finding. `considered` has every policy, also those below the decisive one.

    `incident` carries decision and plan; `declined` says why there is no decision. `unasked` are guards that would
    lower the mode only because nobody was asked: they do not count here. `shadow` is what policies in shadow would have
    made of it.
    """

    policies: PolicySet
    considered: tuple[Considered, ...]
    incident: Incident
    policy: Policy | None
    declined: str | None
    unasked: tuple[Cap, ...] = ()
    shadow: tuple[Shadowed, ...] = ()

    @property
    def decision(self) -> Decision | None:
        """The decision, where there is one."""
        return self.incident.decision

    @property
    def outcome(self) -> tuple[object, ...]:
        """What a person would call the same: policy, modes, steps, and what would be written."""
        if self.decision is None or self.policy is None:
            return (None,)
        plan = self.incident.plan
        writes = [(one.target.key, one.surface, dict(one.after)) for one in plan.changes] if plan else []
        return self.policy.id, self.decision.wanted, self.decision.mode, self.policy.then, writes


@dataclass(frozen=True, slots=True)
class Explanation:
    """The finding as it was taken, everything known about it, and one view for each set of policies."""

    finding: Finding
    evidence: tuple[Evidence, ...]
    facts: Facts
    assumed: Assumed
    confirmed: Confirmed | None
    now_ns: int
    views: tuple[View, ...]


def explain(
    app: App,
    told: Notification,
    assumed: Assumed,
    sets: tuple[PolicySet, ...],
    deadline: Deadline,
    live: EnrichmentClients | None,
) -> Explanation:
    """Ask what may be asked, then let every set of policies decide on the same answers.

    Without `live` nobody is asked, and the finding is taken at its word.
    """
    now_ns = app.now_ns()
    fresh = _fresh(app, told.finding)
    confirmed = confirm(fresh, impatient(app, fresh, deadline)) if live else None
    believed = confirmed.finding if confirmed else told.finding
    finding = _supposing(believed, assumed)
    gathering = Gathering.start(finding, live or offline_clients(), app.enrichers, deadline, app.log)
    evidence = tuple(_supposed(one, assumed) for one in gathering.rest())
    facts = finding.facts() | merged(evidence)
    taken = replace(confirmed, finding=finding) if confirmed else Confirmed(finding, "confirmed", "", fresh.events)
    views = tuple(_view(_replaying(app, evidence, one), told, taken, facts, deadline, asked=bool(live)) for one in sets)
    return Explanation(finding, evidence, facts, assumed, confirmed, now_ns, views)


def _supposing(finding: Finding, assumed: Assumed) -> Supposed:
    own = {one.name: getattr(finding, one.name) for one in dataclasses.fields(finding)}
    told = {name: assumed.facts[fact] for fact, name in _FIELDS.items() if fact in assumed.facts}
    return Supposed(**{**own, **told}, assumed=assumed)


def _supposed(evidence: Evidence, assumed: Assumed) -> Evidence:
    """A source assumed unknown gives nothing at all, as if it had not answered."""
    if evidence.source in assumed.unknown:
        gone = Evidence(evidence.source, gap="assumed unknown")
        return replace(gone, facts=assumed.over(evidence.source, {}))
    return replace(evidence, facts=assumed.over(evidence.source, evidence.facts))


def _replaying(app: App, evidence: tuple[Evidence, ...], policies: PolicySet) -> App:
    answered: dict[str, Enricher] = {one.source: _Answered(one, app.enrichers[one.source].facts) for one in evidence}
    return replace(app, policies=policies, enrichers=MappingProxyType(answered))


@dataclass
class _Answered:
    """A source that has answered already. Every decision waits for it, so that each sees all there is."""

    evidence: Evidence
    facts: Catalogue
    permissions: frozenset[str] = frozenset()
    deadline: float = 10.0
    shapes_plan: bool = True

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:  # noqa: ARG002 - it has been asked
        """The same again."""
        return self.evidence


def _view(app: App, told: Notification, taken: Confirmed, facts: Facts, deadline: Deadline, *, asked: bool) -> View:
    finding, now_ns = taken.finding, app.now_ns()
    own = facts_of(finding, app.policies)
    tried = tuple(_considered(policy, {**facts, **own}, now_ns) for policy in app.policies.policies)
    incident = _fresh(app, finding)
    reason = reason_to_decline(Notification(finding, told.deleted), app.policies)
    declined = reason or (settled_in_scc(finding) if taken.trust == "confirmed" else None)
    if isinstance(finding.target, NotATarget):
        return View(app.policies, tried, incident, None, declined)
    decided = decide(app, incident, taken, impatient(app, incident, deadline))
    incident = decided.incident
    shadow = in_shadow(app, decided, asked=asked)
    if decided.policy is None:
        bare = replace(incident, decision=None)
        return View(app.policies, tried, bare, None, declined or "no policy matches", shadow=shadow)
    unasked, incident = ((), incident) if asked else _without_unasked(incident)
    return View(app.policies, tried, incident, decided.policy, declined, unasked, shadow)


def _considered(policy: Policy, facts: Facts, now_ns: int) -> Considered:
    matched = match(policy.when, facts, now_ns)
    return Considered(policy.id, policy.mode, matched.truth, matched.trace)


def _fresh(app: App, finding: Finding) -> Incident:
    now_ns = app.now_ns()
    event = Event(finding.incident_id, finding.event_ns, now_ns, "counts")
    return Incident(finding.incident_id, "received", now_ns, now_ns, finding, events=(event,))


def _without_unasked(incident: Incident) -> tuple[tuple[Cap, ...], Incident]:
    """A guard that fails closed because nobody was asked says nothing about the policies."""
    decision = incident.decision
    if decision is None:
        return (), incident
    unknown = tuple(cap for cap in decision.caps if cap.unknown)
    caps = tuple(cap for cap in decision.caps if cap not in unknown)
    unasked = tuple(cap for cap in unknown if cap.name != "away")
    return unasked, replace(incident, decision=replace(decision, caps=caps, mode=capped(decision.wanted, caps)))
