"""Sources are asked about a finding, and a quota is not spent on what anybody can make up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from firebreak.core.findings.file_report import NoReport
from firebreak.core.findings.finding import Finding
from firebreak.response.app import App
from firebreak.response.observe import Gathering
from firebreak.response.readings import Readings


@dataclass(frozen=True, slots=True)
class _NotAsked:
    """In VirusTotal's place, about what leads to no write: whoever makes it up could use up the day's quota."""

    why: str

    def report(self, sha256: str, deadline: float) -> NoReport:  # noqa: ARG002 - as file reports answer
        """Why there is none."""
        return NoReport(sha256, "not_asked", f"VirusTotal is not asked about {self.why}")


def gather(app: App, finding: Finding, readings: Readings, *, unheld: bool = False) -> Gathering:
    """Ask every source about the finding, all at once; `unheld` says that SCC does not hold it."""
    config, why = app.policies.config, "findings that SCC does not hold" if unheld else ""
    listed = {*config.sources, *([config.drill.source] if config.drill else [])}
    if config.sources and finding.name.source not in listed:
        why = "findings of sources that firebreak.yaml does not list"
    sources = replace(app.sources, files=_NotAsked(why)) if why and app.sources.files else app.sources
    return Gathering.start(finding, sources, app.enrichers, readings.deadline, app.log)
