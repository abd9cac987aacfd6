"""The APIs of Firebreak's project."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline


def _items(examined: Examined) -> Iterator[Item]:
    project, wanted = examined.deployment.project, examined.deployment.apis

    def look(deadline: Deadline) -> Iterator[Result]:
        listed = examined.cloud.listed(f"//serviceusage.googleapis.com/projects/{project}/services", deadline)
        enabled = {str(one.get("name", "")).rpartition("/")[2] for one in listed}
        for api in sorted({*wanted} - enabled):
            yield Fault(f"{api} is not enabled", f"gcloud services enable {api} --project={project}")
        yield Ok(f"{len(enabled & {*wanted})} of {len(wanted)} APIs are enabled")

    yield Item("the project's APIs", look)


check = Check("the APIs", "roles/serviceusage.serviceUsageViewer on the project", _items)
