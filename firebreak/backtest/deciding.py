"""What one set of policies decides about one finding of the past, by the function's own choice and guards.

Whatever hangs on other findings (limits, what stands already) is left to `replay`, which goes through time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from firebreak.backtest.choosing import Choices
from firebreak.backtest.drawn import Settings, drawn
from firebreak.backtest.past import Past
from firebreak.backtest.reports import SOURCE, KeptReports, unanswered
from firebreak.core.actions.action import Actions
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.gate import gate
from firebreak.core.containment.next_move import Move, next_move
from firebreak.core.containment.plan import Plan
from firebreak.core.facts import Evidence, Facts, merged
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import Notification
from firebreak.core.mode import Cap, Ceiling, Mode, capped
from firebreak.core.policy.policy import Config, Policy, PolicySet
from firebreak.core.policy.protected import Place, protects
from firebreak.core.policy.selection import Choice, choose_in_shadow
from firebreak.core.policy.triage import declined_by_itself, facts_in_shadow, not_ours, settled_in_scc
from firebreak.core.ternary import Truth
from firebreak.policy_language.reading.assumptions import Assumed
from firebreak.ports.enrichment import Enricher, EnrichmentClients, answer_of
from firebreak.ports.offline import offline_clients

AS_RECORDED = frozenset(
    "unplaced changed inferred disputed refuge action regions made_anew unconfirmed unverified away shared".split()
)
"""Guards that look at settings, SCC's word, or what answered: where these were not recorded, their reasons of then."""

_NOBODY = replace(offline_clients(), files=None)
_BY_MODE: Mapping[Mode, Move] = {Mode.ENFORCE: "contain", Mode.APPROVE: "ask", Mode.MONITOR: "record"}
NO_MATCH = "no policy matches"
_UNNAMED, _UNASKED = "no policy names it", "nobody was asked"


Shadow = tuple[str, str, str, str, bool]
"""A policy in shadow, the policy that would have decided with it in force, in which mode after and before guards, and
whether it only may match."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: the policies, the actions that they name, the sources that facts come from, and suppositions.

    `reports` is what VirusTotal says today, for findings of which no answer was recorded.
    """

    policies: PolicySet
    actions: Actions
    enrichers: Mapping[str, Enricher]
    assumed: Assumed = field(default_factory=Assumed)
    reports: KeptReports | None = None
    choices: Choices = field(init=False)
    ceilings: tuple[Ceiling, ...] = field(init=False)
    asked: tuple[tuple[str, Enricher], ...] = field(init=False)
    unasked: Mapping[str, Evidence] = field(init=False)
    clients: EnrichmentClients = field(init=False)

    def __post_init__(self) -> None:
        """What is the same for every finding."""
        ceiling = self.policies.config.ceiling
        object.__setattr__(self, "choices", Choices(self.policies))
        object.__setattr__(self, "ceilings", (Ceiling(ceiling, f"the ceiling in firebreak.yaml is {ceiling.word}"),))
        # Asked of nobody VirusTotal tells nothing of any file, and that need not be asked of each.
        silent = set[str]() if self.reports else {SOURCE}
        asked = tuple((name, one) for name, one in self.enrichers.items() if name in self.choices.sources - silent)
        rest = {
            name: Evidence(name, gap=_UNASKED if name in self.choices.sources else _UNNAMED)
            for name in self.enrichers
            if name not in dict(asked)
        }
        object.__setattr__(self, "clients", replace(_NOBODY, files=self.reports))
        object.__setattr__(self, "asked", asked)
        object.__setattr__(self, "unasked", rest)


class Verdict(NamedTuple):
    """What is decided about one finding by itself.

    Attributes:
        policy: the policy that matches; None where nothing is decided.
        wanted: the mode that the policies ask for.
        mode: the mode that the guards leave; None where nothing is decided.
        caps: every guard's reason.
        waits: the sources on which the decision hangs.
        aside: why nothing is decided, in the same few words for all.
        move: what follows; without settings it is as if everything were to be changed.
        plan: what would be written; None where no settings were recorded.
        lacks: which settings were not.
        alone: where something stood there then, what would have been decided if nothing had.
        shadow: what would have been decided with each policy in force that is in shadow and matches, or may.
        clauses: how each clause of each policy went, as `parts.letters` tells it.
    """

    policy: str | None
    wanted: Mode | None = None
    mode: Mode | None = None
    caps: tuple[Cap, ...] = ()
    waits: tuple[str, ...] = ()
    aside: str = ""
    move: Move = "record"
    plan: Plan | None = None
    lacks: Settings = ""
    alone: Verdict | None = None
    shadow: tuple[Shadow, ...] = ()
    clauses: str = ""


def verdict_on(past: Past, rules: Rules) -> Verdict:
    """Decide about it at its own time, on what was known then."""
    finding, policies = past.finding, rules.policies
    if declined_by_itself(Notification(finding, past.deleted), policies.config):
        return Verdict(None, aside=_aside(past, policies.config))
    evidence = evidence_of(past, rules)
    known = merged(tuple(evidence.values()))
    if rules.assumed.facts:
        known |= rules.assumed.over("finding", {})
    now_ns = past.rested_on.now_ns if past.rested_on else past.at_ns
    choice, clauses = rules.choices.of(finding, known, now_ns)
    shadow = tuple(_in_shadow(past, known, evidence, rules, now_ns)) if rules.policies.shadowed else ()
    if choice.policy is None:
        return Verdict(None, aside=NO_MATCH, shadow=shadow, clauses=clauses)
    alone = None
    if past.rested_on is not None and past.rested_on.stood:
        before = past._replace(rested_on=past.rested_on.as_before)
        alone = _ruled(before, choice.policy, choice, evidence, rules)
    found = _ruled(past, choice.policy, choice, evidence, rules)
    return Verdict(*found[:-3], alone, shadow, clauses)  # cheaper than to replace them


def _aside(past: Past, config: Config) -> str:
    """What `declined_by_itself` says in a sentence of its own for each, so that it can be counted."""
    if past.deleted:
        return "deleted in SCC"
    if not_ours(past.finding, config.organization):
        return "of another organization"
    if not settled_in_scc(past.finding):
        return "not on Cloud Run"
    return "muted in SCC" if past.finding.state != "INACTIVE" else "inactive in SCC"


def _in_shadow(
    past: Past, known: Facts, evidence: Mapping[str, Evidence], rules: Rules, now_ns: int
) -> Iterator[Shadow]:
    for policy, own in facts_in_shadow(past.finding, rules.policies):
        truth, choice = choose_in_shadow(policy, rules.policies, {**own, **known}, now_ns)
        if choice is not None and choice.policy is not None:
            ruled = _ruled(past, choice.policy, choice, evidence, rules)
            after, before = (mode.word if mode else "" for mode in (ruled.mode, ruled.wanted))
            yield policy.id, choice.policy.id, after, before, truth is Truth.UNKNOWN


def _ruled(past: Past, policy: Policy, choice: Choice, evidence: Mapping[str, Evidence], rules: Rules) -> Verdict:
    """What guards leave of a choice, and what follows."""
    on = drawn(past, policy, evidence, rules.policies, rules.ceilings, rules.actions)
    wanted = choice.mode or Mode.MONITOR
    ruling = gate(on.given, on.plan, rules.actions, wanted, None, "")
    caps, mode = ruling.caps, ruling.mode
    if on.plan is None and past.caps:
        caps = (*caps, *(cap for cap in past.caps if cap.name in AS_RECORDED and cap not in caps))
        mode = capped(wanted, caps)
    move = _BY_MODE[mode]
    if on.plan is not None:
        unreferred = "" if on.given.contained_before else on.around.unreferred(past.incident)
        move = next_move(ruling, on.plan, on.around, unreferred)
        mode = Mode.APPROVE if move == "ask" else mode
    return Verdict(policy.id, wanted, mode, caps, _waits(choice, caps), move=move, plan=on.plan, lacks=on.lacks)


def evidence_of(past: Past, rules: Rules) -> dict[str, Evidence]:
    """Each source's answer: as it was recorded, else what the finding alone tells it, with what is supposed."""
    asked = {
        name: answer_of(name, one, past.finding, rules.clients)
        for name, one in rules.asked
        if name not in past.evidence
    }
    found = {**rules.unasked, **asked}
    if past.evidence:
        found |= {name: one for name, one in past.evidence.items() if name in rules.enrichers}
    if SOURCE in past.evidence and is_of_today(past, rules):
        found[SOURCE] = answer_of(SOURCE, rules.enrichers[SOURCE], past.finding, rules.clients)
    return {name: _supposed(one, rules.assumed) for name, one in found.items()} if _supposes(rules.assumed) else found


def is_of_today(past: Past, rules: Rules) -> bool:
    """Whether what VirusTotal says of its files is what it says today."""
    return (
        rules.reports is not None
        and any(one in rules.reports.known for one in past.finding.whole_hashes)
        and (SOURCE in rules.enrichers and unanswered(past))
    )


def _supposes(assumed: Assumed) -> bool:
    return bool(assumed.facts or assumed.unknown)


def _supposed(evidence: Evidence, assumed: Assumed) -> Evidence:
    """A source of which a fact is supposed counts as one that has answered, and one supposed unknown as none."""
    if evidence.source in assumed.unknown:
        return replace(evidence, facts=assumed.over(evidence.source, {}), gap="assumed unknown")
    told = any(name.partition(".")[0] == evidence.source for name in assumed.facts)
    return replace(evidence, facts=assumed.over(evidence.source, evidence.facts), gap=None if told else evidence.gap)


def is_protected(finding: Finding, labels: Mapping[str, str] | None, policies: PolicySet) -> bool:
    """Whether firebreak.yaml is known to protect the finding's workload."""
    target = finding.target
    if not isinstance(target, Target) or not policies.config.protected:
        return False
    folders = None if finding.folders is None else frozenset(finding.folders)
    place = Place(target.project_id, target.project_number, target.name, folders, labels)
    return any(protects(one, place) is Truth.TRUE for one in policies.config.protected)


def _waits(choice: Choice, caps: tuple[Cap, ...]) -> tuple[str, ...]:
    """The sources that the choice, or a guard that could not be told what it asks, hangs on."""
    waiting = {source for one in choice.candidates for source in one.waits_for}
    for cap in caps:
        if cap.name == "evidence":
            waiting.add(cap.about)
        elif cap.unknown and cap.name == "protected":
            waiting.add("workload")
    return tuple(sorted(waiting)) if waiting else ()
