"""The plan of a past finding, and what guards look at: as the record kept it, else what the finding alone tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from firebreak.backtest.past import Past
from firebreak.core.actions.action import Actions
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.observation import Around, Seen, accounts_of, surfaces_of
from firebreak.core.containment.plan import Plan
from firebreak.core.containment.rested_on import RestedOn
from firebreak.core.containment.whole_plan import plan_for
from firebreak.core.facts import Evidence, FactValue
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Ceiling
from firebreak.core.policy.policy import Policy, PolicySet

Settings = Literal["", "none", "in part"]
"""Which settings the record has not: none at all, or some that the plan is about; empty where it has all."""

_STANDS = Standing("")
"""That nothing stands on a workload: what would is for `replay` to know."""
_UNTOLD = RestedOn((), "confirmed", "")
"""SCC's word is the history itself."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the gate is asked about; `plan` is None where no settings were recorded, and `around` has no reading."""

    given: GuardInput
    plan: Plan | None
    around: Around
    lacks: Settings


def drawn(
    past: Past,
    policy: Policy,
    evidence: Mapping[str, Evidence],
    policies: PolicySet,
    ceilings: tuple[Ceiling, ...],
    actions: Actions,
) -> Drawn:
    """The policy's plan on the settings of then, and what guards look at beside it."""
    kept = past.rested_on
    around = kept.around(labels_of(evidence) or {}) if kept else _unread(past, evidence)
    gaps = tuple(
        name for name, one in evidence.items() if one.gap and (name != "workload" or not _was_read(one, around))
    )
    given = _given(past, kept or _UNTOLD, policy, around, gaps, policies, ceilings)
    if kept is None:
        return Drawn(given, None, around, "none")
    incident = Incident(past.incident, "received", given.now_ns, given.now_ns, past.finding)
    plan = plan_for(policy.then, around, incident, actions, policies.digest)
    return Drawn(given, plan, around, "in part" if _is_partial(kept, policy, around, actions) else "")


def _given(
    past: Past,
    kept: RestedOn,
    policy: Policy,
    around: Around,
    gaps: tuple[str, ...],
    policies: PolicySet,
    ceilings: tuple[Ceiling, ...],
) -> GuardInput:
    return GuardInput(
        finding=past.finding,
        trust=kept.trust,
        trust_reason=kept.trust_reason,
        ceilings=ceilings,
        config=policies.config,
        own=kept.own,
        now_ns=kept.now_ns or past.at_ns,
        age_ns=kept.age_ns if past.rested_on else past.age_ns,
        seen=tuple(one for one in around.seen if one.target.name),
        related_known="related" not in gaps,
        steps=policy.then,
        incident=past.incident,
        contained_before=kept.contained_before,
        gaps=gaps,
        unread_regions=kept.unread_regions,
        users=kept.users,
        away=kept.away,
        uids=kept.uids,
        unvouched=kept.unvouched,
        canary=kept.canary,
    )


def _is_partial(kept: RestedOn, policy: Policy, around: Around, actions: Actions) -> bool:
    """Whether the plan is about what nobody looked at then: accounts, or revisions beyond those that were kept."""
    if any(one.settings and one.settings.left_out for one in kept.seen):
        return True
    own = around.own
    if own.workload is None or own.case is None or IDENTITY not in surfaces_of(policy.then, actions):
        return False
    return not set(accounts_of(own.workload, own.case)) <= set(around.accounts)


def _was_read(evidence: Evidence, around: Around) -> bool:
    """Whether the workload itself was read, though something of it was not."""
    return around.own.case is not None or "workload.ingress" in evidence.facts


def _unread(past: Past, evidence: Mapping[str, Evidence]) -> Around:
    """Without settings: where it is, and what labels it has."""
    target = past.finding.target
    if isinstance(target, NotATarget):
        return Around((Seen(Target("", "", "service", ""), None, None, None, target.reason, away=True),))
    labels, known = labels_of(evidence), None
    if labels is not None:
        known = Workload(target, MappingProxyType({}), {}, (), None, {}, {}, settled=True, labels=labels)
    return Around((Seen(target, known, None, _STANDS),))


def labels_of(evidence: Mapping[str, Evidence]) -> Mapping[str, str] | None:
    """The workload's labels; None where they are not known."""
    told: FactValue | None = evidence["workload"].facts.get("workload.labels") if "workload" in evidence else None
    if not isinstance(told, tuple):
        return None
    return {key: value for key, _, value in (one.partition("=") for one in told)}
