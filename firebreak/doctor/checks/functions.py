"""The functions: alive, as their own identity, from the archive that was packaged, under the ceiling that was set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from firebreak.archive import STARTS
from firebreak.core.mode import MODES
from firebreak.doctor.deployment import Deployment, Function
from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result, Unchecked
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection


def _items(examined: Examined) -> Iterator[Item]:
    for name, one in sorted(examined.deployment.functions.items()):
        yield Item(f"the function {name}", partial(_look, examined.cloud, examined.deployment, name, one))


def _look(cloud: Inspection, wanted: Deployment, name: str, function: Function, deadline: Deadline) -> Iterator[Result]:
    found = cloud.get(f"//cloudfunctions.googleapis.com/{function.name}", deadline)
    service = found.get("serviceConfig", {})
    if found.get("state") != "ACTIVE":
        told = "; ".join(str(one.get("message")) for one in found.get("stateMessages", ()))
        yield Fault(f"{name} is {found.get('state', 'in no state')}{f': {told}' if told else ''}", _log(wanted))
    if service.get("serviceAccountEmail") != function.account:
        yield Fault(f"{name} runs as {service.get('serviceAccountEmail')} instead of {function.account}", APPLY)
    yield _ceiling(service, wanted, name)
    yield from _revision(cloud, wanted, name, str(service.get("service", "")), deadline)


def _ceiling(service: Mapping[str, Any], wanted: Deployment, name: str) -> Result:
    ceiling = service.get("environmentVariables", {}).get("FIREBREAK_CEILING", "monitor")
    if ceiling != wanted.ceiling:
        return Fault(f"the ceiling of {name} is {ceiling}, and Terraform says {wanted.ceiling}", APPLY)
    if wanted.package and MODES[wanted.ceiling] > MODES[wanted.package.ceiling]:
        low = wanted.package.ceiling
        repack = "raise `ceiling` in your firebreak.yaml, then make package and apply"
        return Fault(f"the ceiling is {ceiling}, and firebreak.yaml in the archive says {low}, which counts", repack)
    return Ok(f"the ceiling of {name} is {ceiling}")


def _revision(cloud: Inspection, wanted: Deployment, name: str, service: str, deadline: Deadline) -> Iterator[Result]:
    """What serves, and whether it is what was packed: what it told when it started."""
    found = cloud.get(f"//run.googleapis.com/{service}", deadline)
    serves, newest = _short(found.get("latestReadyRevision")), _short(found.get("latestCreatedRevision"))
    if serves != newest:
        yield Fault(f"{newest}, the newest of {name}, is not ready, and {serves or 'nothing'} serves", _log(wanted))
    asked = (
        f'resource.type="cloud_run_revision" AND resource.labels.revision_name="{serves}"'
        f' AND jsonPayload.message="{STARTS}"'
    )
    line = cloud.last_line(wanted.project, asked, deadline)
    told = str(line.get("jsonPayload", {}).get("contents", "")) if line else ""
    packed = wanted.package.contents if wanted.package else ""
    if not told:
        yield Unchecked(
            f"{name}: the start of {serves} is not in the log any more, which tells what it was packed from"
        )
    elif told != packed:
        yield Fault(f"{serves} of {name} was packed from {told[:12]}, and {packed[:12]} should be", APPLY)
    else:
        yield Ok(f"{serves} of {name} serves, packed from {told[:12]}")


def _short(name: object) -> str:
    return str(name or "").rpartition("/")[2]


def _log(wanted: Deployment) -> str:
    return f"gcloud logging read 'severity>=ERROR' --project={wanted.project} --freshness=1d"


check = Check(
    "the functions", "roles/cloudfunctions.viewer, roles/run.viewer and roles/logging.viewer on the project", _items
)
