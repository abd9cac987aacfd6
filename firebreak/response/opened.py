"""What is still open on a target that is contained, told with its place."""

from __future__ import annotations

from firebreak.core.actions.residual_exposure import still_open
from firebreak.core.containment.observation import Seen
from firebreak.core.incidents.incident import Incident


def opened(incident: Incident, seen: Seen) -> tuple[str, ...]:
    """What is still open on one target; where it is not the finding's own, each line says which."""
    if seen.workload is None or seen.case is None:
        return (f"what is open on {seen.target.place} could not be looked at: {seen.fault}",)
    targets = (*incident.targets, *(incident.plan.targets if incident.plan else ()))
    covered = frozenset(target.place for target in targets)
    place = incident.place_of(seen.workload.target)
    return tuple(f"{place}{line}" for line in still_open(seen.workload, seen.case, covered))
