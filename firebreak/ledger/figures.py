"""The figures of a span of time, read from the ledger: from its newest end, as far as is looked at."""

from __future__ import annotations

from firebreak.core.reports.report import Report, report
from firebreak.core.signing import Sealed
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import StoredIncident

MOST = 5_000
"""Incidents, last touched first, that a report looks through: each is a read of a shared ledger."""


def figures_of(ledger: Ledger, since_ns: int, until_ns: int, *, ended: bool = False) -> Report:
    """The report between two times, nanoseconds since 1970. What a broken seal says of itself is not believed."""
    listed = list(ledger.listed(MOST))
    known = [one for one in listed if isinstance(one, StoredIncident) and one.sealed is not Sealed.BROKEN]
    incidents = [one.incident for one in known]
    oldest = min((one.updated_ns for one in incidents), default=until_ns)
    whole = len(listed) < MOST or oldest < since_ns
    return report(incidents, since_ns, until_ns, ended=ended, unread=len(listed) - len(known), whole=whole)
