"""Earlier incidents on the same workload, and what people found them to be."""

from __future__ import annotations

from types import MappingProxyType

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.facts import Catalogue, Evidence, Fact, FactType, FactValue
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.earlier import Earlier
from firebreak.core.timestamps import format_instant
from firebreak.ports.enrichment import MOST_LOOKED_THROUGH, EnrichmentClients

WINDOW_NS = 90 * 86_400 * 1_000_000_000
"""How far back incidents count."""
_MOST = 100


class RecurrenceSource:
    """Of this finding's own incident nothing is counted."""

    facts: Catalogue = MappingProxyType(
        {
            "recurrence.count": Fact(
                FactType.NUMBER, "How many other incidents this workload had in 90 days.", least=0
            ),
            "recurrence.closed_as": Fact(
                FactType.TEXTS,
                "What people closed those as.",
                ("true_positive", "false_positive", "benign"),
            ),
            "recurrence.last": Fact(FactType.TIME, "When the last of those began."),
            "recurrence.file_known": Fact(
                FactType.BOOL,
                "Whether another finding's incident of these days, wherever it was, has one of its files, by hash."
                f" Where there are more than {MOST_LOOKED_THROUGH} to look through it is unknown.",
            ),
            "recurrence.severity_changed": Fact(
                FactType.BOOL, "Whether SCC gave this finding another severity before, as far as incidents tell."
            ),
        }
    )
    permissions = frozenset[str]()
    deadline = 5.0
    shapes_plan = False

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:
        """Counted up to a hundred; beyond that the count is unknown, and what was seen is shown."""
        target = finding.target
        if isinstance(target, NotATarget):
            return Evidence("recurrence", gap=target.reason)
        seen = sources.incidents.on(target, _MOST + 1)
        since = finding.event_ns - WINDOW_NS
        about = (finding.name.source, finding.name.finding)
        others = [one for one in seen if one.id != finding.incident_id and not (one.open and one.finding == about)]
        earlier = [one for one in others if one.created_ns >= since]
        facts: dict[str, FactValue] = {
            "recurrence.closed_as": tuple(sorted({one.closed_as for one in earlier if one.closed_as}))
        }
        if earlier:
            facts["recurrence.last"] = format_instant(max(one.created_ns for one in earlier))
        if len(seen) <= _MOST:
            facts["recurrence.count"] = len(earlier)
        before = {
            severity
            for one in seen
            for at_ns, severity in one.severities
            if one.finding == about and at_ns <= finding.event_ns
        }
        if finding.severity and len(seen) <= _MOST:
            facts["recurrence.severity_changed"] = bool(before - {finding.severity})
        files = frozenset(finding.whole_hashes)
        known = sources.incidents.with_file(files, about, since) if files else None
        facts |= {} if known is None else {"recurrence.file_known": known}
        gap = None if len(seen) <= _MOST else f"more than {_MOST} incidents: not all were counted"
        return Evidence("recurrence", facts, gap, shown={"incidents": [_line(one) for one in earlier[:10]]})


def _line(one: Earlier) -> dict[str, str]:
    return {
        "incident": one.id,
        "began": format_instant(one.created_ns),
        "category": one.category,
        "phase": one.phase,
        "closed_as": one.closed_as,
    }


source = RecurrenceSource()
