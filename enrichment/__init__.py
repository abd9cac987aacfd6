"""Read-only sources of evidence, one module each, found by their names and asked in parallel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from core import finding as core_finding
from core.discovery import Found, find
from core.evidence import Catalogue, Evidence

if TYPE_CHECKING:
    from core.finding import Finding
    from enrichment.logs import Logs
    from enrichment.recurrence import Incidents
    from enrichment.related import Findings
    from enrichment.virustotal import FileReports
    from enrichment.workload import Workloads


@dataclass(frozen=True, slots=True)
class Sources:
    """The collaborators that sources read through. `files` is None where no VirusTotal key is configured."""

    findings: Findings
    workloads: Workloads
    files: FileReports | None
    logs: Logs
    incidents: Incidents


class Enricher(Protocol):
    """One source. Its module holds it as `source`; the module's name is its name and the first word of its facts.

    `deadline` is in seconds, at most 10. `shapes_plan` says that plans are drawn from its answer, so that every
    decision waits for it; the others are waited for only while they could change the decision. `enrich` may raise:
    whatever it raises becomes the source's gap.
    """

    facts: Catalogue
    permissions: frozenset[str]
    deadline: float
    shapes_plan: bool

    def enrich(self, finding: Finding, sources: Sources) -> Evidence:
        """What this source knows about the finding: facts, or a named gap, or some of both."""
        ...


@dataclass(frozen=True, slots=True)
class Unloaded:
    """Stands where a source does not load: it has no facts to be asked for, and is a gap on every record."""

    name: str
    why: str
    facts: Catalogue = field(default_factory=dict)
    permissions: frozenset[str] = frozenset()
    deadline: float = 1.0
    shapes_plan: bool = False

    def enrich(self, finding: Finding, sources: Sources) -> Evidence:  # noqa: ARG002 - nobody is asked
        """Nothing, and why."""
        return Evidence(self.name, gap=f"the source does not load: {self.why}")


def discover() -> Mapping[str, Enricher]:
    """Every source in this package, by name; what does not load is among them, and has nothing but a gap."""
    found = _found()
    return MappingProxyType({**found.working, **{name: Unloaded(name, why) for name, why in found.broken.items()}})


def broken() -> Mapping[str, str]:
    """Every module in this package that does not load as a source, by name, and why."""
    return _found().broken


def _found() -> Found:
    return find(__name__, __path__, "source", (*Enricher.__annotations__, "enrich"))


def catalogue() -> Catalogue:
    """Every fact that policies may name: the finding's own and those of all sources."""
    facts = dict(core_finding.CATALOGUE)
    for source in discover().values():
        facts.update(source.facts)
    return MappingProxyType(facts)
