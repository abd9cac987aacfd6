"""Other findings on the same workload around the same time, in any source of the organization."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.facts import Catalogue, Evidence, Fact, FactType, FactValue
from firebreak.core.findings.finding import Finding
from firebreak.core.timestamps import format_instant
from firebreak.ports.enrichment import EnrichmentClients

WINDOW_NS = 24 * 3600 * 1_000_000_000
"""Findings this long before or after count as around the same time; event times move when findings are updated."""


class RelatedSource:
    """`detail` is the tuple of related findings, newest first."""

    facts: Catalogue = MappingProxyType(
        {
            "related.count": Fact(FactType.NUMBER, "How many other active findings there are."),
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
        found = sources.findings.around(finding, finding.target, WINDOW_NS, self.deadline)
        active = tuple(one for one in found if one.state != "INACTIVE" and one.mute != "MUTED")
        facts: dict[str, FactValue] = {
            "related.count": len(active),
            "related.categories": tuple(sorted({one.category for one in active})),
        }
        shown = {"findings": [_line(one) for one in active[:10]]}
        return Evidence("related", facts, detail=active, shown=shown, originals=lambda: _originals(active))


def _originals(related: tuple[Finding, ...]) -> dict[str, Any]:
    return {"related": [one.original for one in related]} if related else {}


def _line(finding: Finding) -> dict[str, str]:
    return {
        "category": finding.category,
        "severity": finding.severity,
        "time": format_instant(finding.event_ns),
        "finding": f"{finding.name.source}/{finding.name.finding}",
    }


source = RelatedSource()
