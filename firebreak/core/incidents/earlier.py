"""An incident as another one on the same workload sees it: of hundreds no more is kept than that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from firebreak.core.cloud_run.target import Target
from firebreak.core.incidents.incident import Incident
from firebreak.core.signing import Sealed
from firebreak.core.timestamps import NANOS

_REMEMBERED_NS = 90 * 86_400 * NANOS


@dataclass(frozen=True, slots=True)
class Earlier:
    """One earlier incident.

    Attributes:
        id: its id.
        phase: where it is.
        created_ns: when it began, nanoseconds since 1970.
        category: the detector's display name.
        closed_as: what a person found it to be; empty where nobody has said.
        finding: what it is about, by source and id.
        open: whether it has not ended.
        severities: what SCC gave its events, with their times, nanoseconds since 1970.
    """

    id: str
    phase: str
    created_ns: int
    category: str
    closed_as: str
    finding: tuple[str, str]
    open: bool
    severities: tuple[tuple[int, str], ...] = ()


def changed_ns(incident: Incident) -> int:
    """When it changed last, nanoseconds since 1970, by its history: `updated_ns` is under no seal."""
    return incident.history[-1].at_ns if incident.history else incident.created_ns


def has_file(incident: Incident, hashes: frozenset[str], but_for: tuple[str, str]) -> bool:
    """Whether it is of another finding, and of a file with one of these hashes, by what SCC or a person confirmed."""
    name = incident.finding.name
    others = (name.source, name.finding) != but_for and incident.believed and incident.decision is not None
    return others and not hashes.isdisjoint(incident.finding.whole_hashes)


def earlier_of(incident: Incident) -> Earlier:
    """As much of an incident as a later one sees of it."""
    finding = incident.finding
    told = [(one.event_ns, one.severity) for one in incident.events]
    told += [(finding.event_ns, finding.severity)] if incident.decision else []  # before, a message alone has told it
    return Earlier(
        incident.id,
        incident.phase,
        incident.created_ns,
        finding.category,
        incident.closed_as,
        (finding.name.source, finding.name.finding),
        incident.open,
        tuple((at_ns, severity) for at_ns, severity in told if severity),
    )


@dataclass(frozen=True, slots=True)
class Suspicions:
    """What an incident has against revisions.

    Attributes:
        until_ns: until when that counts, nanoseconds since 1970: while it is open, for a time where it was found true;
            0 where it does not, as of what no person and no SCC confirmed.
        workload: what the finding is about; None where that is no target.
        uid: of which resource under that name; empty where that is not known.
        suspects: key of a target to the suspects there.
    """

    until_ns: float
    workload: Target | None
    uid: str
    suspects: Mapping[str, frozenset[str]]

    def on(self, target: Target, uid: str, now_ns: int) -> frozenset[str]:
        """The suspects that count on this very resource: one made anew under its name is another one."""
        anew = self.workload is not None and self.workload.same_workload(target) and self.uid not in ("", uid)
        if anew or now_ns >= self.until_ns:
            return frozenset()
        return frozenset[str]().union(*(self.suspects.get(key, ()) for key in target.keys))


def suspicions_of(incident: Incident) -> Suspicions:
    """As much of an incident as others go by that might turn traffic to what it suspects."""
    own = incident.finding.target
    until_ns = 0.0
    if incident.believed and incident.open:
        until_ns = math.inf
    elif incident.believed and incident.closed_as == "true_positive":
        until_ns = changed_ns(incident) + _REMEMBERED_NS
    suspects = dict[str, frozenset[str]]()
    for one in incident.events if until_ns else ():
        for key, names in one.suspects.items() if one.status == "counts" else ():
            suspects[key] = suspects.get(key, frozenset()) | frozenset(names)
    return Suspicions(until_ns, own if isinstance(own, Target) else None, incident.uid, suspects)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """All that others on the same workload go by of an incident.

    Attributes:
        earlier: how it stands; None of one that no person and no SCC confirmed.
        suspicions: what it has against revisions.
        sealed: what is known of its record's seal.
    """

    earlier: Earlier | None
    suspicions: Suspicions
    sealed: Sealed


def neighbour_of(incident: Incident, sealed: Sealed) -> Neighbour:
    """As much of an incident as is kept of each of hundreds on one workload."""
    return Neighbour(earlier_of(incident) if incident.believed else None, suspicions_of(incident), sealed)
