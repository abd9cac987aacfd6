"""Guards: each can only lower the mode, lowers it where something is unknown, and records its reason.

A guard takes what is known of the finding and its target, the plan (None if none could be drafted) and the actions by
name. It returns the caps that it imposes; an empty list means that it has no objection.
"""

from __future__ import annotations

from collections.abc import Callable

from firebreak.core.actions.action import Actions
from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.plan import Plan
from firebreak.core.findings.finding import Finding
from firebreak.core.mode import Cap, Ceiling, Mode
from firebreak.core.policy.policy import Config, Step
from firebreak.core.policy.protected import Place, protects
from firebreak.core.ternary import Truth

DAY_NS = 86_400 * 1_000_000_000
CLOCKS_APART = 600
"""How far, in seconds, an event may be dated after its arrival, because clocks differ."""


CONTAINED = Cap("contained", "caution", "the target is contained already, and the plan would close more")

Guard = Callable[[GuardInput, Plan | None, Actions], list[Cap]]


def _bar(name: str, reason: str) -> list[Cap]:
    return [Cap(name, "bar", reason)]


def _caution(name: str, reason: str) -> list[Cap]:
    return [Cap(name, "caution", reason)]


def _unknown(name: str, reason: str) -> list[Cap]:
    """A caution because the guard's question cannot be answered."""
    return [Cap(name, "caution", reason, unknown=True)]


def guard_ceiling(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001 - one shape for all guards
    """The lowest maximum mode in force decides. Every one below enforce is named."""
    return ceiling_caps(given.ceilings)


def ceiling_caps(ceilings: tuple[Ceiling, ...]) -> list[Cap]:
    """Caps for these ceilings alone; the last check before a write calls it too."""
    return [
        Cap(one.name, "bar" if one.mode is Mode.MONITOR else "caution", one.reason)
        for one in ceilings
        if one.mode is not Mode.ENFORCE
    ]


def guard_source(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Only findings of sources listed in firebreak.yaml may lead to more than monitoring."""
    return source_bar(given.finding, given.config)


def source_bar(finding: Finding, config: Config) -> list[Cap]:
    """A bar if firebreak.yaml does not list the finding's source; the last check before a write calls it too."""
    if finding.name.source in config.sources:
        return []
    return _bar("source", f"SCC source {finding.name.source} is not listed in firebreak.yaml")


def guard_confirmation(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """SCC must hold the finding as the message states it: whoever may publish to the topic can forge a message."""
    if given.trust == "confirmed":
        return []
    if given.trust == "unreachable":
        return _caution("unconfirmed", f"not confirmed by SCC: {given.trust_reason}")
    return _bar("unverified", given.trust_reason)


def guard_self(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Firebreak's own services, and everything else in their project, are never contained."""
    targets = (given.target, *(one.target for one in given.further))
    return list(dict.fromkeys(cap for target in targets for cap in self_caps(target, given.own)))


def self_caps(target: Target, own: tuple[str, ...]) -> list[Cap]:
    """A bar for a target in Firebreak's own project; the last check before a write calls it too.

    `own` are full resource names of Firebreak's services.
    """
    parsed = [one for one in map(parse_resource, own) if isinstance(one, Target)]
    if any(one.project_spellings & target.project_spellings for one in parsed):
        return _bar("self", f"{target.project} is the project that Firebreak itself runs in")
    for one in parsed:
        if not (one.project_number and target.project_number) and not (one.project_id and target.project_id):
            return _unknown("self", "it is not known whether this is the project that Firebreak itself runs in")
    return []


def guard_protected(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Each target of the plan that firebreak.yaml protects, or may protect, needs a person's approval."""
    places = [("this workload", _place(given, given.target, given.workload))]
    changed = {one.target.key for one in (*plan.changes, *plan.fallback)} if plan else frozenset[str]()
    further = (one for one in given.further if one.target.key in changed)
    places += [(one.target.place, _place(given, one.target, one.workload)) for one in further]
    caps = []
    for name, place in places:
        verdicts = {protects(entry, place) for entry in given.config.protected}
        if Truth.TRUE in verdicts:
            caps += _caution("protected", f"firebreak.yaml protects {name}")
        elif Truth.UNKNOWN in verdicts:
            caps += _unknown("protected", f"it is not known whether firebreak.yaml protects {name}")
    return caps


def _place(given: GuardInput, target: Target, workload: Workload | None) -> Place:
    """Where a target is. The finding names the folders of its own project only. A service account is not a service."""
    own = bool(target.project_spellings & given.target.project_spellings)
    account = target.kind == "service_account"
    labels = workload.labels if workload else None
    return Place(
        project=target.project_id,
        project_number=target.project_number,
        service="" if account else target.name,
        folders=frozenset(given.finding.folders) if own and given.finding.folders is not None else None,
        labels={} if account else labels,
    )


def guard_stale_event(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """An old event may describe a service that was repaired since; an event dated in the future would never get old."""
    age = (given.claimed_ns - given.finding.event_ns) // 1_000_000_000
    if age < -CLOCKS_APART:
        return _caution("stale", f"the event is dated {-age // 60} minutes after it arrived")
    if age <= given.config.stale_after:
        return []
    return _caution("stale", f"the event was {_in_words(age)} old when it arrived")


def _in_words(seconds: int) -> str:
    sizes = (("days", 86_400), ("hours", 3600), ("minutes", 60))
    return next(f"{seconds // size} {unit}" for unit, size in sizes if seconds >= 2 * size or size == sizes[-1][1])


def guard_missing_evidence(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A person decides where a source that an action needs gave no answer."""
    needed = {source for step in _all(given.steps) for source in actions[step.action].needs}
    missing = sorted(needed & set(given.gaps))
    return _unknown("evidence", f"needed sources without an answer: {', '.join(missing)}") if missing else []


def guard_inferred_suspects(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A person decides if suspects are inferred and the service has changed, or related findings are unknown."""
    if given.case is None or given.workload is None:
        return []
    if given.case.suspicion.rule == "unplaced":
        return _caution("unplaced", given.case.suspicion.reason)
    if given.case.suspicion.rule != "older":
        return []
    caps = []
    if _changed_by_others(given.workload, given.finding.event_ns, given.standing):
        caps += _caution("changed", "suspects are inferred, and the service has changed since the event")
    wanted = {source for step in _all(given.steps) for source in actions[step.action].needs_if_inferred}
    if "related" in wanted and not given.related_known:
        caps += _unknown("inferred", "suspects are inferred, and related findings are not known")
    return caps


def _changed_by_others(workload: Workload, since_ns: int, standing: Standing | None) -> bool:
    """Whether somebody else changed the workload after the event, before or after Firebreak's own writes."""
    ours = standing is not None and standing.changed_ns == workload.updated_ns
    earlier = standing.origin_changed_ns or 0 if standing is not None and standing.holds else 0
    return (workload.updated_ns > since_ns and not ours) or earlier > since_ns


def guard_irreversible(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """An action that cannot be undone needs a person unless the policy accepts it; so does one that affects others."""
    caps: list[Cap] = []
    for step in _all(given.steps):
        action = actions[step.action]
        if not action.reversible and not step.accept_irreversible:
            caps += _caution("irreversible", f"{step.action} cannot be undone")
        if action.reach == "shared":
            who = "; ".join(users.sentence(account) for account, users in given.users.items())
            caps += _caution("shared", f"{step.action} affects other workloads too{who and f': {who}'}")
    return caps


def guard_broken_action(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Without the steps whose action failed, the plan is no longer the one that the policy meant."""
    return broken_caps(plan) if plan else []


def broken_caps(plan: Plan) -> list[Cap]:
    """A caution for each action of the plan that failed; used for a redrafted plan too."""
    broken = dict.fromkeys(f"{one.action}: {one.reason}" for one in plan.refusals if one.kind == "fault")
    return _caution("action", f"a fault in Firebreak itself: {'; '.join(broken)}") if broken else []


def guard_unread_regions(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A multi-region service is contained in every region; a region that could not be read needs a person."""
    if not given.unread_regions:
        return []
    return _caution("regions", f"the service also runs elsewhere: {'; '.join(given.unread_regions)}")


def guard_already_contained(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A target that is contained already, or was released within a day, is not closed further without a person.

    Nor is a target whose record of the containment cannot be used.
    """
    if given.standing_fault is not None:
        return _unknown("seal", given.standing_fault)
    if given.standing is None or plan is None or not plan.writes:
        return []
    written = (one.standing for one in given.further if any(change.after for change in plan.changes_to(one.target)))
    caps: list[Cap] = []
    for standing in (given.standing, *written):
        if standing.holds and not standing.held_by(given.incident):
            caps += [CONTAINED]
        caps += released_caps(standing, given.claimed_ns)
    return list(dict.fromkeys(caps))


def released_caps(standing: Standing, now_ns: int) -> list[Cap]:
    """A caution for a day after a release; the last check before a write calls it too. `now_ns`: since 1970."""
    if standing.released_ns is None or now_ns - standing.released_ns >= DAY_NS:
        return []
    return _caution("released", "a person released this target within the last 24 hours")


GUARDS: tuple[Guard, ...] = (
    guard_ceiling,
    guard_source,
    guard_confirmation,
    guard_self,
    guard_protected,
    guard_stale_event,
    guard_missing_evidence,
    guard_inferred_suspects,
    guard_irreversible,
    guard_broken_action,
    guard_unread_regions,
    guard_already_contained,
)


def caps_for(given: GuardInput, plan: Plan | None, actions: Actions) -> tuple[Cap, ...]:
    """Every cap of every guard, bars first."""
    caps = [cap for guard in GUARDS for cap in guard(given, plan, actions)]
    return tuple(sorted(caps, key=lambda cap: cap.kind != "bar"))


def _all(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(one for step in steps for one in (step, *_all(step.otherwise)))
