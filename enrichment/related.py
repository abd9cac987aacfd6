"""Other findings on the same workload: those of allowed sources are gone by, those of any other are only shown."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.facts import Catalogue, Evidence, Fact, FactType, FactValue
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.related import RelatedFindings
from firebreak.core.timestamps import format_instant
from firebreak.ports.enrichment import EnrichmentClients

WINDOW_NS = 24 * 3600 * 1_000_000_000
"""Findings this long before or after count as around the same time; event times move when findings are updated."""


class RelatedSource:
    """`detail` is what was found, as `RelatedFindings`."""

    facts: Catalogue = MappingProxyType(
        {
            "related.count": Fact(
                FactType.NUMBER, "How many other active findings of allowed sources there are within a day.", least=0
            ),
            "related.categories": Fact(FactType.TEXTS, "Their categories."),
        }
    )
    permissions = frozenset({"securitycenter.findings.list"})
    deadline = 10.0
    shapes_plan = True

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:
        """Active, unmuted findings on the same workload; a person has already judged muted and inactive ones."""
        if isinstance(finding.target, NotATarget):
            return Evidence("related", gap=finding.target.reason)
        found = sources.findings.related(finding, finding.target, WINDOW_NS, self.deadline)
        near = [one for one in found.allowed if abs(one.event_ns - finding.event_ns) <= WINDOW_NS]
        facts: dict[str, FactValue] = {}
        if found.complete:
            facts = {
                "related.count": len(near),
                "related.categories": tuple(sorted({one.category for one in near})),
            }
        shown = [*map(_line, near), *({**_line(one), "source": "not allowed"} for one in found.others)]
        shown += [{"source": f"no answer from location {one}"} for one in found.silent]
        gap = None if found.complete else "there are more than could be read"
        return Evidence(
            "related", facts, gap, detail=found, shown={"findings": shown}, originals=lambda: _originals(found)
        )


def _originals(found: RelatedFindings) -> dict[str, Any]:
    """The newest whole, of the others their names."""
    read = [one.original or one.name.spellings[0] for one in (*found.allowed, *found.others)]
    return {"related": read} if read else {}


def _line(finding: Finding) -> dict[str, str]:
    return {
        "category": finding.category,
        "severity": finding.severity,
        "time": format_instant(finding.event_ns),
        "finding": f"{finding.name.source}/{finding.name.finding}",
    }


source = RelatedSource()
