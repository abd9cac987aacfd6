"""An incident as a later one on the same workload sees it."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.incidents.incident import Incident


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
