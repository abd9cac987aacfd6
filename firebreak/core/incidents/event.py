"""One event of a finding, of which an incident may have several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from firebreak.core.cloud_run.target import Target
from firebreak.core.findings.finding import Finding
from firebreak.core.storage_names import Stored

EventStatus = Literal["new", "counts", "passed", "unconfirmed"]
"""`new`: SCC was not asked yet. `counts`: SCC holds it. `passed`: SCC holds a later one. `unconfirmed`: it does not."""


@dataclass(frozen=True, slots=True)
class Event(Stored):
    """One event of the finding; what the message said of it is a document of its own.

    Attributes:
        id: as `Finding.incident_id` makes it.
        event_ns: when it happened, nanoseconds since 1970.
        seen_ns: when Firebreak first saw it, nanoseconds since 1970.
        status: what SCC says of it.
        decided: whether a decision was taken with it, or it was given up.
        again_ns: when to ask SCC about it again, nanoseconds since 1970.
        named: revisions or executions that the message names.
        digests: image digests that the message names.
        suspects: target's key to the suspects that it gave there; they only grow.
        answered: whether a question is over that was about this event by itself.
        severity: what SCC gave when it was first decided; empty where it was not, or SCC gave none.
    """

    id: str
    event_ns: int
    seen_ns: int
    status: EventStatus = "new"
    decided: bool = False
    again_ns: int = 0
    named: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    suspects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answered: bool = False
    severity: str = ""

    @property
    def unheld(self) -> bool:
        """Whether SCC is still asked about it from time to time, because it does not hold it yet."""
        return self.status == "unconfirmed" and not self.decided


def told_event(finding: Finding, seen_ns: int) -> Event:
    """The event that a message told as this finding, first seen then."""
    named = finding.target.named if isinstance(finding.target, Target) else ()
    digests = tuple(sorted(finding.digests))
    return Event(finding.incident_id, finding.event_ns, seen_ns, named=tuple(sorted(named)), digests=digests)
