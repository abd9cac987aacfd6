"""Guards: each can only lower the mode, fails closed, and leaves its reason on the record."""

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
"""Seconds by which an event may be dated after its arrival, because clocks differ."""


CONTAINED = Cap("contained", "caution", "the target is contained already and something new would be closed")

Guard = Callable[[GuardInput, Plan | None, Actions], list[Cap]]


def _bar(name: str, reason: str) -> list[Cap]:
    return [Cap(name, "bar", reason)]


def _caution(name: str, reason: str) -> list[Cap]:
    return [Cap(name, "caution", reason)]


def _not_known(name: str, reason: str) -> list[Cap]:
    """A guard that fails closed, because what it asks is not known."""
    return [Cap(name, "caution", reason, unknown=True)]


def ceiling(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001 - one shape for all guards
    """The lowest ceiling in force decides; every one below enforce is named."""
    return ceiling_caps(now.ceilings)


def ceiling_caps(ceilings: tuple[Ceiling, ...]) -> list[Cap]:
    """The same for the last check, which knows no more than this."""
    return [
        Cap(one.name, "bar" if one.mode is Mode.MONITOR else "caution", one.reason)
        for one in ceilings
        if one.mode is not Mode.ENFORCE
    ]


def source(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Only findings of sources listed in firebreak.yaml may lead to more than monitoring."""
    return source_bar(now.finding, now.config)


def source_bar(finding: Finding, config: Config) -> list[Cap]:
    """The same for the last check, which knows no more than this."""
    if finding.name.source in config.sources:
        return []
    return _bar("source", f"SCC source {finding.name.source} is not listed in firebreak.yaml")


def confirmed(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """SCC itself must hold the finding as the message tells it."""
    if now.trust == "confirmed":
        return []
    if now.trust == "unreachable":
        return _caution("unconfirmed", f"not confirmed by SCC: {now.trust_reason}")
    return _bar("unverified", now.trust_reason)


def itself(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Firebreak's own services, and everything else in their project, are never contained."""
    targets = (now.target, *(one.target for one in now.further))
    return list(dict.fromkeys(cap for target in targets for cap in itself_caps(target, now.own)))


def itself_caps(target: Target, own: tuple[str, ...]) -> list[Cap]:
    """The same for the last check, which knows no more than this."""
    parsed = [one for one in map(parse_resource, own) if isinstance(one, Target)]
    if any(one.project_spellings & target.project_spellings for one in parsed):
        return _bar("self", f"{target.project} is the project that Firebreak itself runs in")
    for one in parsed:
        if not (one.project_number and target.project_number) and not (one.project_id and target.project_id):
            return _not_known("self", "it is not known whether this is the project that Firebreak itself runs in")
    return []


def protected(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A protected target needs a person, whichever of the plan's it is; so does one of which it cannot be told."""
    places = [("this workload", _place(now, now.target, now.workload))]
    changed = {one.target.key for one in (*plan.changes, *plan.fallback)} if plan else frozenset[str]()
    further = (one for one in now.further if one.target.key in changed)
    places += [(one.target.place, _place(now, one.target, one.workload)) for one in further]
    caps = []
    for name, place in places:
        verdicts = {protects(entry, place) for entry in now.config.protected}
        if Truth.TRUE in verdicts:
            caps += _caution("protected", f"firebreak.yaml protects {name}")
        elif Truth.UNKNOWN in verdicts:
            caps += _not_known("protected", f"it is not known whether firebreak.yaml protects {name}")
    return caps


def _place(now: GuardInput, target: Target, workload: Workload | None) -> Place:
    """Where a target is. The finding tells the folders of its own project alone; an account is no service."""
    own = bool(target.project_spellings & now.target.project_spellings)
    account = target.kind == "service_account"
    labels = workload.labels if workload else None
    return Place(
        project=target.project_id,
        project_number=target.project_number,
        service="" if account else target.name,
        folders=frozenset(now.finding.folders) if own and now.finding.folders is not None else None,
        labels={} if account else labels,
    )


def stale(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """An old event may describe a service that has long been mended; one that is yet to come is never found old."""
    age = (now.claimed_ns - now.finding.event_ns) // 1_000_000_000
    if age < -CLOCKS_APART:
        return _caution("stale", f"the event is dated {-age // 60} minutes after it arrived")
    if age <= now.config.stale_after:
        return []
    return _caution("stale", f"the event was {_in_words(age)} old when it arrived")


def _in_words(seconds: int) -> str:
    sizes = (("days", 86_400), ("hours", 3600), ("minutes", 60))
    return next(f"{seconds // size} {unit}" for unit, size in sizes if seconds >= 2 * size or size == sizes[-1][1])


def evidence_needed(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """An action whose needed source did not answer asks a person."""
    needed = {source for step in _all(now.steps) for source in actions[step.action].needs}
    missing = sorted(needed & set(now.gaps))
    return _not_known("evidence", f"needed and not known: {', '.join(missing)}") if missing else []


def inferred(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Where neither finding nor digest says which revision, a changed service or a missing source asks a person."""
    if now.case is None or now.workload is None:
        return []
    if now.case.suspicion.rule == "unplaced":
        return _caution("unplaced", now.case.suspicion.reason)
    if now.case.suspicion.rule != "older":
        return []
    caps = []
    if _changed_by_others(now.workload, now.finding.event_ns, now.standing):
        caps += _caution("changed", "suspects are inferred, and the service has changed since the event")
    wanted = {source for step in _all(now.steps) for source in actions[step.action].needs_if_inferred}
    if "related" in wanted and not now.related_known:
        caps += _not_known("inferred", "suspects are inferred, and related findings are not known")
    return caps


def _changed_by_others(workload: Workload, since_ns: int, standing: Standing | None) -> bool:
    """Firebreak's own last write is no such change; what others did before its first one is."""
    ours = standing is not None and standing.changed_ns == workload.updated_ns
    earlier = standing.origin_changed_ns or 0 if standing is not None and standing.holds else 0
    return (workload.updated_ns > since_ns and not ours) or earlier > since_ns


def irreversible(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """What cannot be undone needs a person, unless the policy accepts it; so does what others share."""
    caps: list[Cap] = []
    for step in _all(now.steps):
        action = actions[step.action]
        if not action.reversible and not step.accept_irreversible:
            caps += _caution("irreversible", f"{step.action} cannot be undone")
        if action.reach == "shared":
            who = "; ".join(users.sentence(account) for account, users in now.users.items())
            caps += _caution("shared", f"{step.action} reaches other workloads too{who and f': {who}'}")
    return caps


def broken_action(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """What is left of a plan without a step whose action is at fault is no more what the policy meant."""
    return broken_caps(plan) if plan else []


def broken_caps(plan: Plan) -> list[Cap]:
    """The same for a plan that is drawn anew."""
    broken = dict.fromkeys(f"{one.action}: {one.reason}" for one in plan.refusals if one.kind == "fault")
    return _caution("action", f"a fault in Firebreak itself: {'; '.join(broken)}") if broken else []


def regions(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A service in several regions is contained in all of them; one that could not be read stays as it is."""
    if not now.unread_regions:
        return []
    return _caution("regions", f"the service also runs elsewhere: {'; '.join(now.unread_regions)}")


def again(now: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A target that is contained already, or that a person released within a day, is not closed further alone.

    Nor is one of which it is not known what stands there.
    """
    if now.standing_fault is not None:
        return _not_known("seal", now.standing_fault)
    if now.standing is None or plan is None or not plan.writes:
        return []
    written = (one.standing for one in now.further if any(change.after for change in plan.changes_to(one.target)))
    caps: list[Cap] = []
    for standing in (now.standing, *written):
        if standing.holds and not standing.held_by(now.incident):
            caps += [CONTAINED]
        caps += released_caps(standing, now.claimed_ns)
    return list(dict.fromkeys(caps))


def released_caps(standing: Standing, now_ns: int) -> list[Cap]:
    """The same for the last check, which knows no more than this."""
    if standing.released_ns is None or now_ns - standing.released_ns >= DAY_NS:
        return []
    return _caution("released", "a person released this target within the last 24 hours")


GUARDS: tuple[Guard, ...] = (
    ceiling,
    source,
    confirmed,
    itself,
    protected,
    stale,
    evidence_needed,
    inferred,
    irreversible,
    broken_action,
    regions,
    again,
)


def caps_for(now: GuardInput, plan: Plan | None, actions: Actions) -> tuple[Cap, ...]:
    """Every cap of every guard, bars first."""
    caps = [cap for guard in GUARDS for cap in guard(now, plan, actions)]
    return tuple(sorted(caps, key=lambda cap: cap.kind != "bar"))


def _all(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(one for step in steps for one in (step, *_all(step.otherwise)))
