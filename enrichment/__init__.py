"""Read-only sources of evidence, one module each, found by their names and asked in parallel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from firebreak.core.discovery import Found, find
from firebreak.core.facts import Catalogue, Evidence
from firebreak.core.findings import own_facts
from firebreak.core.findings.finding import Finding
from firebreak.ports.enrichment import Enricher, EnrichmentClients


@dataclass(frozen=True, slots=True)
class Unloaded:
    """Takes the place of a source that does not load: it offers no facts, and every record shows its gap.

    Attributes:
        name: the source's name.
        why: why it does not load.
        facts: none.
        permissions: none.
        deadline: in seconds; nothing is asked.
        shapes_plan: no plan rests on it.
    """

    name: str
    why: str
    facts: Catalogue = field(default_factory=dict)
    permissions: frozenset[str] = frozenset()
    deadline: float = 1.0
    shapes_plan: bool = False

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:  # noqa: ARG002 - nobody is asked
        """Nothing, and why."""
        return Evidence(self.name, gap=f"the source does not load: {self.why}")


def discover() -> Mapping[str, Enricher]:
    """Every source in this package by name; one that does not load is an `Unloaded`, which answers with a gap."""
    found = _found()
    return MappingProxyType({**found.working, **{name: Unloaded(name, why) for name, why in found.broken.items()}})


def broken() -> Mapping[str, str]:
    """Every module in this package that does not load as a source, by name, and why."""
    return _found().broken


def _found() -> Found:
    return find(__name__, __path__, "source", (*Enricher.__annotations__, "enrich"))


def catalogue() -> Catalogue:
    """Every fact that policies may name: the finding's own and those of all sources."""
    facts = dict(own_facts.CATALOGUE)
    for source in discover().values():
        facts.update(source.facts)
    return MappingProxyType(facts)
