"""One reading of a target: its settings, what stands on it, and the case that they make of the finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from firebreak.core.actions.case import EditContext, edit_context
from firebreak.core.actions.suspects import Suspicion, carriers, find_suspects, find_suspects_elsewhere
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.incident import Incident
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App


@dataclass(frozen=True, slots=True)
class Seen:
    """A fresh reading with the case it makes."""

    workload: Workload
    case: EditContext
    standing: Standing


@dataclass(frozen=True, slots=True)
class Known:
    """What was found in the finding's own target, and what others are judged by; all of it outlives a decision.

    `named` are revisions that related findings name, `own` who is suspect in the finding's own target, `images` their
    images, and `elsewhere` who was found suspect in other targets, by key.
    """

    named: frozenset[str] = frozenset()
    own: Suspicion | None = None
    images: frozenset[str] = frozenset()
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unsupported: frozenset[str] = frozenset()


def known_of(decision: Decision | None, unsupported: tuple[str, ...]) -> Known:
    """What the decision has kept of it."""
    if decision is None:
        return Known(unsupported=frozenset(unsupported))
    own = Suspicion(decision.suspect_rule, frozenset(decision.suspects), decision.suspects_because)
    named = frozenset(decision.related_revisions)
    images = frozenset(decision.suspect_images)
    return Known(named, own, images, decision.suspects_elsewhere, frozenset(unsupported))


def images_of(case: EditContext) -> frozenset[str]:
    """The images of the suspects, where they are known."""
    return frozenset[str]().union(*(one.digests for one in case.revisions if one.name in case.own_suspects))


def wait_for_others(app: App, incident: Incident, standing: Standing) -> None:
    """While another incident's containment or release is being written, this one comes back later: raises Transient."""
    if doing := standing.being_written(incident.id, app.now_ns()):
        message = f"{doing} is being written to the same target"
        raise Transient(message)


def look(app: App, incident: Incident, target: Target, deadline: Deadline) -> Seen:
    """Read the target now, as the decision on the incident knows it; raises Missing, Denied, Transient, NotActedOn."""
    return look_with(app, incident, target, known_of(incident.decision, incident.unsupported), deadline)


def look_with(app: App, incident: Incident, target: Target, known: Known, deadline: Deadline) -> Seen:
    """The same with what is known for now."""
    # What stands is read before the settings: whoever comes to stand in between is noticed when this incident does.
    return look_over(app, incident, target, known, standing_on(app, incident, target), deadline)


def standing_on(app: App, incident: Incident, target: Target) -> Standing:
    """What stands on the target; raises NotActedOn, and Transient while another incident writes there."""
    standing, _ = app.ledger.standing(target)
    wait_for_others(app, incident, standing)
    return standing


def look_over(
    app: App, incident: Incident, target: Target, known: Known, standing: Standing, deadline: Deadline
) -> Seen:
    """Read the target under what stands on it; raises Missing, Denied or Transient."""
    workload = app.read(target, deadline.sooner(15))
    case = edit_context_seen(incident.finding, workload, known, standing)
    # Who was suspect when the decision fell stays so, also once nothing leads there any more.
    if _is_of(incident.finding, target):
        decided = known.own.revisions if known.own else frozenset[str]()
    else:
        decided = frozenset(known.elsewhere.get(target.key, ()))
    return Seen(workload, case.with_suspects(decided), standing)


def _is_of(finding: Finding, target: Target) -> bool:
    """Whether this is the very target of the finding."""
    return isinstance(finding.target, Target) and finding.target.key == target.key


def edit_context_seen(finding: Finding, workload: Workload, known: Known, standing: Standing | None) -> EditContext:
    """Suspects and all else that edits look at, from a reading of the workload.

    An event from before the standing containment was verified is judged by the traffic of that time, the origin's; of
    a later one, revisions that are held already count as if they could still be reached.
    """
    seen = workload
    if standing is not None and standing.holds:
        earlier = standing.verified_ns is None or finding.event_ns < standing.verified_ns
        seen = replace(workload, state=standing.origin, effective={}, effective_tags={}) if earlier else workload
    suspicion = _suspicion(finding, seen, known)
    held = standing.suspects if standing else frozenset[str]()
    if not suspicion.revisions and (again := carriers(finding, workload, held)):
        suspicion = Suspicion("digest", again, f"{', '.join(sorted(again))} carries the image and is held already")
    return replace(edit_context(workload.target, suspicion, workload, known.unsupported), held=held)


def _suspicion(finding: Finding, seen: Workload, known: Known) -> Suspicion:
    if seen.target.kind == "service_account":
        return Suspicion("named", frozenset(), "suspects run as it")
    if known.own is None or _is_of(finding, seen.target):
        return find_suspects(finding, seen, known.named)
    return find_suspects_elsewhere(finding, known.own, known.images, seen)
