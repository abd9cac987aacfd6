"""Guards: each can only lower the mode, lowers it where something is unknown, and records its reason.

A guard takes what is known of the finding and of every target of the plan, the plan (None if none could be drafted)
and the actions by name. It returns the caps that it imposes; an empty list means that it has no objection. All of them
are asked before every containing write, whatever led there.
"""

from __future__ import annotations

from collections.abc import Callable

from firebreak.core.actions.action import Actions
from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.canary import beyond_the_canary
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.guards_by_place import guard_ceiling, guard_protected
from firebreak.core.containment.plan import Plan
from firebreak.core.containment.review import set_by_others
from firebreak.core.mode import Cap, made_cap
from firebreak.core.policy.policy import Step
from firebreak.core.policy.triage import settled_in_scc

DAY_NS = 86_400 * 1_000_000_000
CLOCKS_APART = 600
"""How far, in seconds, an event may be dated after its arrival, because clocks differ."""

PASSING = frozenset({"halt", "unverified", "settled"})
"""Bars that may pass by themselves: what they stop is deferred, not ended."""

Guard = Callable[[GuardInput, Plan | None, Actions], list[Cap]]


def _bar(name: str, reason: str, about: str = "") -> list[Cap]:
    return [made_cap(name, "bar", reason, about)]


def _caution(name: str, reason: str, about: str = "") -> list[Cap]:
    return [made_cap(name, "caution", reason, about)]


def _unknown(name: str, reason: str, about: str = "") -> list[Cap]:
    """A caution because the guard's question cannot be answered."""
    return [made_cap(name, "caution", reason, about, unknown=True)]


def guard_source(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001 - one shape for all guards
    """Only findings of listed sources may lead to more than monitoring; the drill's source on its canary alone."""
    source, drill = given.finding.name.source, given.config.drill
    if drill is not None and source == drill.source:  # also where it is listed with the others
        why = beyond_the_canary(given.canary, drill, given.seen, plan, given.now_ns)
        return _bar("source", f"SCC source {source} is the drill's, and {why}") if why else []
    return (
        [] if source in given.config.sources else _bar("source", f"SCC source {source} is not listed in firebreak.yaml")
    )


def guard_confirmation(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """SCC must hold the finding as the message states it: whoever may publish to the topic can forge a message."""
    if given.trust == "confirmed":
        settled = settled_in_scc(given.finding)
        return _bar("settled", settled) if settled else []
    if given.trust == "unreachable":
        return _caution("unconfirmed", f"not confirmed by SCC: {given.trust_reason}")
    return _bar("unverified", given.trust_reason)


def guard_self(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Firebreak's own services, and everything else in their project, are never contained."""
    return list(dict.fromkeys(cap for one in given.seen for cap in _self_caps(one.target, given.own)))


def _self_caps(target: Target, own: tuple[str, ...]) -> list[Cap]:
    parsed = [one for one in map(parse_resource, own) if isinstance(one, Target)]
    if any(one.project_spellings & target.project_spellings for one in parsed):
        return _bar("self", f"{target.project} is the project that Firebreak itself runs in")
    for one in parsed:
        if not (one.project_number and target.project_number) and not (one.project_id and target.project_id):
            return _bar("self", "it is not known whether this is the project that Firebreak itself runs in")
    return []


def guard_stale_event(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """An old event may describe a service that was repaired since; an event dated in the future would never get old."""
    age = given.age_ns // 1_000_000_000
    if age < -CLOCKS_APART:
        return _caution("stale", f"the event is dated {-age // 60} minutes after it arrived")
    if age <= given.config.stale_after:
        return []
    return _caution("stale", f"the event was {_in_words(age)} old when it was taken up")


def _in_words(seconds: int) -> str:
    sizes = (("days", 86_400), ("hours", 3600), ("minutes", 60))
    return next(f"{seconds // size} {unit}" for unit, size in sizes if seconds >= 2 * size or size == sizes[-1][1])


def guard_missing_evidence(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A person decides where a source that an action needs gave no answer."""
    needed = {source for step in _all(given.steps) for source in actions[step.action].needs}
    missing = sorted(needed & set(given.gaps))
    return [cap for one in missing for cap in _unknown("evidence", f"needed sources without an answer: {one}", one)]


def guard_away(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """What was waited for in vain is missing from the plan, and a person is told so."""
    return [cap for what in given.away for cap in _unknown("away", f"{what} cannot be reached", what)]


def guard_unreadable_name(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """What a finding on Cloud Run is about, and cannot be read, a person has to find out."""
    target = given.finding.target
    if isinstance(target, Target):
        return []
    return _caution("name", f"what the finding is about cannot be read: {target.reason} ({target.name})")


def guard_inferred_suspects(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A person decides if suspects are inferred and the service has changed, or related findings are unknown."""
    own = given.seen[0] if given.seen else None
    if own is None or own.case is None or own.workload is None:
        return []
    held = own.standing is not None and own.standing.held_by(given.incident)
    if own.case.suspicion.unplaced and not held and not own.case.suspects & own.case.reachable:
        return _caution("unplaced", own.case.suspicion.unplaced, given.finding.incident_id)
    if own.case.suspicion.rule != "older":
        return []
    caps = []
    if _changed_by_others(own.workload, own.standing, given.finding.event_ns):
        caps += _caution("changed", "suspects are inferred, and the service has changed since the event")
    wanted = {source for step in _all(given.steps) for source in actions[step.action].needs_if_inferred}
    if "related" in wanted and not given.related_known:
        caps += _unknown("inferred", "suspects are inferred, and related findings are not known")
    return caps


def _changed_by_others(workload: Workload, standing: Standing | None, since_ns: int) -> bool:
    """Whether somebody else changed the workload after the event; what is contained is judged by its origin."""
    ours_ns = (standing.changed_ns if standing else None) or 0
    if standing is None or not standing.holds:
        return workload.updated_ns > since_ns and workload.updated_ns != ours_ns
    since_then = ours_ns > 0 and not standing.pending and workload.updated_ns > max(since_ns, ours_ns)
    return since_then or (standing.origin_changed_ns or 0) > since_ns


def guard_refuge(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Nothing is turned to a revision that may be a second foothold, without a person; nor is it left at that."""
    disputed = dict.fromkeys(one.reason for one in plan.refusals if one.kind == "disputed") if plan else ()
    return [cap for why in disputed for cap in _caution("disputed", why)] + [
        cap
        for name in given.unvouched
        for cap in _unknown("refuge", f"it is not known whether SCC holds a threat on {name}", name)
    ]


def guard_irreversible(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """An action that cannot be undone needs a person unless the policy accepts it; so does one that affects others."""
    caps: list[Cap] = []
    for step in _all(given.steps):
        action = actions[step.action]
        if not action.reversible and not step.accept_irreversible:
            caps += _caution("irreversible", f"{step.action} cannot be undone", step.action)
        if action.reach == "shared":
            who = "; ".join(users.sentence(account) for account, users in given.users.items())
            names = sorted({name for users in given.users.values() for name in users.names})
            caps += _caution(
                "shared", f"{step.action} affects other workloads too{who and f': {who}'}", ",".join(names)
            )
    return caps


def guard_broken_action(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Without the steps whose action failed, the plan is no longer the one that the policy meant."""
    refusals = plan.refusals if plan else ()
    broken = dict.fromkeys(f"{one.action}: {one.reason}" for one in refusals if one.kind == "fault")
    return _caution("action", f"a fault in Firebreak itself: {'; '.join(broken)}") if broken else []


def guard_unread_regions(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A multi-region service is contained in every region; a region that could not be read needs a person."""
    # Which region it is counts, and not how the fault was worded at that moment.
    told = ((one.partition(" ")[0].rstrip(",:"), one) for one in given.unread_regions)
    return [cap for where, one in told for cap in _caution("regions", f"the service also runs elsewhere: {one}", where)]


def guard_already_contained(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """A target that is contained already, or was released within a day, is not closed further without a person.

    Nor is a target whose record of the containment cannot be used.
    """
    caps = [cap for one in given.seen if one.standing is None for cap in _unknown("seal", one.fault, one.target.key)]
    for seen in given.seen:
        standing, key = seen.standing, seen.target.key
        changes = [change for change in plan.changes_to(seen.target) if change.after] if plan else []
        if standing is None or not changes:
            continue
        if standing.held_by_others(given.incident) or (given.contained_before and standing.held_by(given.incident)):
            caps += _caution("contained", "the target is contained already, and the plan would close more", key)
            # What comes while the first plan is carried out is closed with the rest, and not asked about.
            ours = standing.of_resource(seen.uid)
            if theirs := "; ".join(one for change in changes for one in set_by_others(ours, change.before)):
                caps += _caution("origin", f"a release would restore what others set: {theirs}", f"{key} {theirs}")
        if standing.released_ns is not None and given.now_ns - standing.released_ns < DAY_NS:
            caps += _caution("released", "a person released this target within the last 24 hours", key)
    return caps


def guard_made_anew(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """What was found, or contained, on a resource that is gone says nothing of the one that has its name now."""
    caps: list[Cap] = []
    if plan is None or not plan.writes:
        return caps
    for number, seen in enumerate(given.seen):
        standing, key = seen.standing, seen.target.key
        known = {given.uids.get(key, ""), standing.uid if standing and standing.holds else ""} - {"", seen.uid}
        if seen.uid and known and (not number or plan.changes_to(seen.target)):
            name = seen.target.place if number else "this workload"
            caps += _caution("made_anew", f"{name} was deleted, and another one made in its place", key)
    return caps


def guard_drift(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """What somebody opened again is closed again by a person's word alone."""
    return _caution("drift", given.drift, given.drift) if given.drift else []


GUARDS: tuple[Guard, ...] = (
    guard_ceiling,
    guard_source,
    guard_confirmation,
    guard_self,
    guard_protected,
    guard_stale_event,
    guard_missing_evidence,
    guard_away,
    guard_unreadable_name,
    guard_inferred_suspects,
    guard_refuge,
    guard_irreversible,
    guard_broken_action,
    guard_unread_regions,
    guard_already_contained,
    guard_made_anew,
    guard_drift,
)


def caps_for(given: GuardInput, plan: Plan | None, actions: Actions) -> tuple[Cap, ...]:
    """Every cap of every guard, bars first, each once."""
    caps = dict.fromkeys(cap for guard in GUARDS for cap in guard(given, plan, actions))
    return tuple(sorted(caps, key=lambda cap: cap.kind != "bar")) if len(caps) > 1 else tuple(caps)


def _all(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(one for step in steps for one in ((step, *_all(step.otherwise)) if step.otherwise else (step,)))
