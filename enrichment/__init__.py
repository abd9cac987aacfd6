"""Read-only sources of evidence, one module each, found by their names and asked in parallel."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, cast

from core import finding as core_finding
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


def discover() -> Mapping[str, Enricher]:
    """Every source in this package, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return MappingProxyType({name: cast("Enricher", module.source) for name, module in modules.items()})


def catalogue() -> Catalogue:
    """Every fact that policies may name: the finding's own and those of all sources."""
    facts = dict(core_finding.CATALOGUE)
    for source in discover().values():
        facts.update(source.facts)
    return MappingProxyType(facts)
