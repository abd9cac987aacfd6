"""What a source of evidence is, and the clients that it reads through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.code_location import kind_and_place
from firebreak.core.errors import Refused, Transient
from firebreak.core.facts import Catalogue, Evidence
from firebreak.core.findings.file_report import FileReport, NoReport
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.logs import LogLines, LogQuery, Order
from firebreak.core.findings.related import RelatedFindings
from firebreak.core.incidents.earlier import Earlier
from firebreak.ports.log import LogSink


class Findings(Protocol):
    """Reads findings from SCC, always under our own organization."""

    def related(self, finding: Finding, target: Target, window_ns: int, seconds: float) -> RelatedFindings:
        """Other findings on the target; raises Denied or Transient."""
        ...


class Workloads(Protocol):
    """Reads workloads."""

    def read(self, target: Target, seconds: float) -> Workload:
        """The workload; raises Missing, Denied, Unsupported or Transient."""
        ...


class FileReports(Protocol):
    """Looks files up by hash."""

    def report(self, sha256: str, deadline: float) -> FileReport | NoReport:
        """The report, or why there is none, within `deadline` seconds; nothing is raised for what may go wrong."""
        ...


class Logs(Protocol):
    """Reads log entries."""

    def lines(self, query: LogQuery, order: Order, most: int, seconds: float) -> LogLines:
        """At most that many lines, oldest or newest first; raises Denied or Transient."""
        ...


MOST_LOOKED_THROUGH = 200
"""Incidents that are read to find those with a file, the last touched first."""


class Incidents(Protocol):
    """Reads incidents from the ledger."""

    def on(self, target: Target, most: int) -> tuple[Earlier, ...]:
        """Incidents on the target, last touched first; raises Transient, and Refused where one cannot be believed."""
        ...

    def with_file(self, hashes: frozenset[str], but_for: tuple[str, str], since_ns: int) -> bool | None:
        """Whether another finding's incident, wherever it is, has a file with one of these hashes; raises Transient.

        None where not all incidents since then could be read, and where no policy asks.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnrichmentClients:
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

    def enrich(self, finding: Finding, sources: EnrichmentClients) -> Evidence:
        """What this source knows about the finding: facts, or a named gap, or some of both."""
        ...


def answer_of(
    name: str, enricher: Enricher, finding: Finding, collaborators: EnrichmentClients, say: LogSink | None = None
) -> Evidence:
    """A source's evidence. Whatever the source raises becomes its gap; it is never read as "clean"."""
    try:
        return enricher.enrich(finding, collaborators)
    except (Refused, Transient) as fault:
        return Evidence(name, gap=str(fault) or type(fault).__name__, away=isinstance(fault, Transient))
    except Exception as fault:  # noqa: BLE001 - one source's bug must not keep the others from deciding
        what = kind_and_place(fault)
        if say is not None:
            say("ERROR", f"a fault in Firebreak itself, in the source {name}: {what}", finding=finding.name.finding)
        return Evidence(name, gap=f"the source failed ({what})")
