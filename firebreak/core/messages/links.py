"""Pages for people about an incident, made of names whose form was checked when the finding was read."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from firebreak.core.cloud_run.target import Target
from firebreak.core.findings.file_report import LINK
from firebreak.core.incidents.incident import Incident
from firebreak.core.messages.message import Link

_CONSOLE = "https://console.cloud.google.com"
_PAGES = {"service": "run/detail/{region}/{name}/revisions", "job": "run/jobs/details/{region}/{name}/executions"}
_LOGS = {
    "service": 'resource.type="cloud_run_revision" resource.labels.service_name="{name}"',
    "job": 'resource.type="cloud_run_job" resource.labels.job_name="{name}"',
}


def links(incident: Incident, runbook: str = "") -> tuple[Link, ...]:
    """The workload and its logs in Google's console, the finding in SCC, the file at VirusTotal, the runbook."""
    return tuple(_links(incident, runbook))


def _links(incident: Incident, runbook: str) -> Iterator[Link]:
    finding, target = incident.finding, incident.finding.target
    if isinstance(target, Target):
        project = quote(target.project_id or target.project, safe="")
        names = {"region": target.location, "name": target.name}
        page = _PAGES.get(target.kind, "run").format(**names)
        yield Link("workload", f"{_CONSOLE}/{page}?project={project}")
        if target.kind in _LOGS:
            query = quote(_LOGS[target.kind].format(**names), safe="")
            yield Link("logs", f"{_CONSOLE}/logs/query;query={query}?project={project}")
    name, organization = finding.name, finding.organization or finding.name.container.rpartition("/")[2]
    resource = quote(name.spellings[-1], safe="/")
    place = f"organizationId={quote(organization, safe='')}&resourceId={resource}"
    yield Link("finding", f"{_CONSOLE}/security/command-center/findings?{place}")
    for sha256 in finding.whole_hashes[:1]:
        yield Link("VirusTotal", LINK + sha256)
    if runbook:
        yield Link("runbook", runbook)
