"""What is still open on a target that is contained, told with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from firebreak.core.actions.action import Responder
from firebreak.core.actions.residual_exposure import still_open
from firebreak.core.containment.observation import Seen
from firebreak.core.incidents.incident import Incident

_UNDONE = " was not done: "


def opened(incident: Incident, seen: Seen) -> tuple[str, ...]:
    """What is still open on one target; where it is not the finding's own, each line says which."""
    if seen.workload is None or seen.case is None:
        return (f"what is open on {seen.target.place} could not be looked at: {seen.fault}",)
    targets = (*incident.targets, *(incident.plan.targets if incident.plan else ()))
    covered = frozenset(target.place for target in targets)
    place = incident.place_of(seen.workload.target)
    return tuple(f"{place}{line}" for line in still_open(seen.workload, seen.case, covered))


def undone(actions: Iterable[str], why: str, place: str = "") -> str:
    """The line about what a plan was to do, and was not done."""
    return f"{place}{', '.join(actions)}{_UNDONE}{why}"


def lasting(incident: Incident, actions: Mapping[str, Responder]) -> tuple[str, ...]:
    """Of what the record says to be open, what another look at the settings does not tell: it stays as it was said."""
    known = {text for one in actions.values() for text in one.leaves_open}
    known |= {cap.reason for cap in incident.decision.caps if cap.name == "shared"} if incident.decision else set()
    return tuple(one for one in incident.still_open if one in known or _UNDONE in one)
