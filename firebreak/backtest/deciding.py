"""What one set of policies decides about one finding of the past, by the function's own choice and guards.

Whatever hangs on other findings (limits, what stands already) is left to `replay`, which goes through time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from firebreak.backtest.choosing import Choices
from firebreak.backtest.past import Past
from firebreak.core.actions.action import Actions
from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.guards import caps_for
from firebreak.core.containment.observation import Seen
from firebreak.core.facts import Evidence, FactValue, merged
from firebreak.core.findings.finding import Finding, Notification
from firebreak.core.mode import Cap, Ceiling, Mode, capped
from firebreak.core.policy.policy import PolicySet
from firebreak.core.policy.protected import Place, protects
from firebreak.core.policy.selection import Choice
from firebreak.core.policy.triage import declined_by_itself
from firebreak.core.ternary import Truth
from firebreak.policy_language.reading.assumptions import Assumed
from firebreak.ports.enrichment import Enricher, answer_of
from firebreak.ports.offline import offline_clients

AS_RECORDED = frozenset(
    "unplaced changed inferred disputed refuge action regions made_anew unconfirmed unverified away shared".split()
)
"""Guards that look at what was not recorded (settings, SCC's word, what answered): their reasons of then are taken."""

_NOBODY = replace(offline_clients(), files=None)
_STANDS = Standing("")
"""That nothing stands on a workload: what would is for `replay` to know."""
_UNNAMED = "no policy names it"


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: the policies, the actions that they name, the sources that facts come from, and suppositions."""

    policies: PolicySet
    actions: Actions
    enrichers: Mapping[str, Enricher]
    assumed: Assumed = field(default_factory=Assumed)
    choices: Choices = field(init=False)
    ceilings: tuple[Ceiling, ...] = field(init=False)
    asked: tuple[tuple[str, Enricher], ...] = field(init=False)
    unasked: Mapping[str, Evidence] = field(init=False)

    def __post_init__(self) -> None:
        """What is the same for every finding."""
        ceiling = self.policies.config.ceiling
        object.__setattr__(self, "choices", Choices(self.policies))
        object.__setattr__(self, "ceilings", (Ceiling(ceiling, f"the ceiling in firebreak.yaml is {ceiling.word}"),))
        asked = tuple((name, one) for name, one in self.enrichers.items() if name in self.choices.sources)
        rest = {name: Evidence(name, gap=_UNNAMED) for name in self.enrichers if name not in self.choices.sources}
        object.__setattr__(self, "asked", asked)
        object.__setattr__(self, "unasked", rest)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about one finding by itself.

    Attributes:
        policy: the policy that matches; None where nothing is decided.
        wanted: the mode that the policies ask for.
        mode: the mode that the guards leave; None where nothing is decided.
        caps: every guard's reason.
        waits: the sources on which the decision hangs.
        reason: why nothing is decided.
    """

    policy: str | None
    wanted: Mode | None = None
    mode: Mode | None = None
    caps: tuple[Cap, ...] = ()
    waits: tuple[str, ...] = ()
    reason: str = ""


def verdict_on(past: Past, rules: Rules) -> Verdict:
    """Decide about it at its own time, on what was known then."""
    finding, policies = past.finding, rules.policies
    if reason := declined_by_itself(Notification(finding, past.deleted), policies.config):
        return Verdict(None, reason=reason)
    evidence = evidence_of(past, rules)
    now_ns = finding.event_ns + max(0, past.age_ns)
    known = merged(tuple(evidence.values()))
    if rules.assumed.facts:
        known |= rules.assumed.over("finding", {})
    choice = rules.choices.of(finding, known, now_ns)
    if choice.policy is None:
        return Verdict(None, reason="no policy matches")
    given = guard_input(past, choice, evidence, rules, now_ns)
    wanted = choice.mode or Mode.MONITOR
    own = caps_for(given, None, rules.actions)
    caps = (*own, *(cap for cap in past.caps if cap.name in AS_RECORDED and cap not in own))
    return Verdict(choice.policy.id, wanted, capped(wanted, caps), caps, _waits(choice, caps))


def evidence_of(past: Past, rules: Rules) -> dict[str, Evidence]:
    """Each source's answer: as it was recorded, else what the finding alone tells it, with what is supposed."""
    asked = {
        name: answer_of(name, one, past.finding, _NOBODY) for name, one in rules.asked if name not in past.evidence
    }
    found = {**rules.unasked, **asked, **{name: one for name, one in past.evidence.items() if name in rules.enrichers}}
    return {name: _supposed(one, rules.assumed) for name, one in found.items()} if _supposes(rules.assumed) else found


def _offline(name: str, source: Enricher, finding: Finding, rules: Rules) -> Evidence:
    return answer_of(name, source, finding, _NOBODY) if name in rules.choices.sources else Evidence(name, gap=_UNNAMED)


def _supposes(assumed: Assumed) -> bool:
    return bool(assumed.facts or assumed.unknown)


def _supposed(evidence: Evidence, assumed: Assumed) -> Evidence:
    """A source of which a fact is supposed counts as one that has answered, and one supposed unknown as none."""
    if evidence.source in assumed.unknown:
        return replace(evidence, facts=assumed.over(evidence.source, {}), gap="assumed unknown")
    told = any(name.partition(".")[0] == evidence.source for name in assumed.facts)
    return replace(evidence, facts=assumed.over(evidence.source, evidence.facts), gap=None if told else evidence.gap)


def guard_input(past: Past, choice: Choice, evidence: Mapping[str, Evidence], rules: Rules, now_ns: int) -> GuardInput:
    """What guards look at, made of what was known then. SCC's word is the history itself."""
    gaps = tuple(name for name, one in evidence.items() if one.gap and not _was_read(one))
    config = rules.policies.config
    return GuardInput(
        finding=past.finding,
        trust="confirmed",
        trust_reason="",
        ceilings=rules.ceilings,
        config=config,
        own=(),
        now_ns=now_ns,
        age_ns=past.age_ns,
        seen=_seen(past.finding, evidence),
        related_known="related" not in gaps,
        steps=choice.policy.then if choice.policy else (),
        gaps=gaps,
    )


def _was_read(evidence: Evidence) -> bool:
    """Whether the workload itself was read, though something of it was not."""
    return evidence.source == "workload" and "workload.ingress" in evidence.facts


def _seen(finding: Finding, evidence: Mapping[str, Evidence]) -> tuple[Seen, ...]:
    target = finding.target
    if isinstance(target, NotATarget):
        return ()
    labels = labels_of(evidence)
    known = None
    if labels is not None:
        known = Workload(target, MappingProxyType({}), {}, (), None, {}, {}, settled=True, labels=labels)
    return (Seen(target, known, None, _STANDS),)


def labels_of(evidence: Mapping[str, Evidence]) -> Mapping[str, str] | None:
    """The workload's labels; None where they are not known."""
    told: FactValue | None = evidence["workload"].facts.get("workload.labels") if "workload" in evidence else None
    if not isinstance(told, tuple):
        return None
    return {key: value for key, _, value in (one.partition("=") for one in told)}


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
    waiting |= {cap.about for cap in caps if cap.name == "evidence"}
    if any(cap.name == "protected" and cap.unknown for cap in caps):
        waiting.add("workload")
    return tuple(sorted(waiting))
