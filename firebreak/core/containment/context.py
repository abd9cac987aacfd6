"""What edits look at, from a reading of a target, what stands on it, and what this and other incidents suspect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from firebreak.core.actions.case import EditContext, edit_context
from firebreak.core.actions.suspects import Suspicion, carriers, find_suspects, find_suspects_elsewhere
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident

_Find = Callable[[Workload], Suspicion]


def own_context(
    incident: Incident, finding: Finding, workload: Workload, standing: Standing | None, related: frozenset[str]
) -> EditContext:
    """Of the finding's own target. `related` are the revisions that other findings of allowed sources name."""
    return _context(incident, finding, workload, standing, lambda seen: find_suspects(finding, seen, related))


def context_elsewhere(
    incident: Incident, finding: Finding, workload: Workload, standing: Standing | None, own: EditContext | None
) -> EditContext:
    """Of its service in another region, or of an account, by what was found in the finding's own target."""

    def find(seen: Workload) -> Suspicion:
        if own is None or seen.target.kind == "service_account":
            return Suspicion("named", frozenset(), "suspects run as it")
        return find_suspects_elsewhere(own.suspicion, own.images, seen)

    return _context(incident, finding, workload, standing, find)


def _context(
    incident: Incident, finding: Finding, workload: Workload, standing: Standing | None, find: _Find
) -> EditContext:
    """An event from before the containment was verified is judged by the traffic of that time, the origin's.

    Of a later one, revisions that are held already count as if they could still be reached. Who was suspect once stays
    so, also when nothing leads there any more.
    """
    seen = workload
    if standing is not None and standing.holds:
        earlier = standing.verified_ns is None or finding.event_ns < standing.verified_ns
        seen = replace(workload, state=standing.origin, effective={}, effective_tags={}) if earlier else workload
    suspicion = find(seen)
    held = standing.suspects if standing else frozenset[str]()
    gave_none = suspicion.unplaced or not suspicion.revisions
    if gave_none and (again := carriers(suspicion.images, workload.revisions, held)):
        why = f"{', '.join(sorted(again))} carries the image and is held already"
        suspicion = Suspicion("digest", suspicion.revisions | again, why, suspicion.images)
    context = edit_context(workload.target, suspicion, workload, frozenset(incident.unsupported))
    return replace(context, held=held).with_suspects(incident.suspects_on(workload.target))
