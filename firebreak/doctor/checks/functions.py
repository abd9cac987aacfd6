"""The functions: alive, as their own identity, from the archive that was packaged, under the ceiling that was set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from firebreak.core.mode import MODES
from firebreak.doctor.deployment import Deployment, Function
from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result, Unchecked
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection

_ARCHIVE = ".zip"


def _items(examined: Examined) -> Iterator[Item]:
    for name, one in sorted(examined.deployment.functions.items()):
        yield Item(f"the function {name}", partial(_look, examined.cloud, examined.deployment, name, one))


def _look(cloud: Inspection, wanted: Deployment, name: str, function: Function, deadline: Deadline) -> Iterator[Result]:
    found = cloud.get(f"//cloudfunctions.googleapis.com/{function.name}", deadline)
    service = found.get("serviceConfig", {})
    if found.get("state") != "ACTIVE":
        told = "; ".join(str(one.get("message")) for one in found.get("stateMessages", ()))
        yield Fault(f"{name} is {found.get('state', 'in no state')}{f': {told}' if told else ''}", _log(wanted))
    else:
        yield Ok(f"{name} is active, as {service.get('revision', 'a revision without a name')}")
    if service.get("serviceAccountEmail") != function.account:
        yield Fault(f"{name} runs as {service.get('serviceAccountEmail')} instead of {function.account}", APPLY)
    yield _archive(found, wanted, name)
    ceiling = service.get("environmentVariables", {}).get("FIREBREAK_CEILING", "monitor")
    if ceiling != wanted.ceiling:
        yield Fault(f"the ceiling of {name} is {ceiling}, and Terraform says {wanted.ceiling}", APPLY)
    elif wanted.package and MODES[wanted.ceiling] > MODES[wanted.package.ceiling]:
        low = wanted.package.ceiling
        repack = "raise `ceiling` in your firebreak.yaml, then make package and apply"
        yield Fault(f"the ceiling is {ceiling}, and firebreak.yaml in the archive says {low}, which counts", repack)
    else:
        yield Ok(f"the ceiling of {name} is {ceiling}")


def _archive(found: Mapping[str, Any], wanted: Deployment, name: str) -> Result:
    """Whether the archive that it was built from is named by the hash of what was packaged."""
    build = found.get("buildConfig", {})
    places = (
        build.get("sourceProvenance", {}).get("resolvedStorageSource", {}),
        build.get("source", {}).get("storageSource", {}),
    )
    built = [str(one["object"]) for one in places if str(one.get("object", "")).endswith(_ARCHIVE)]
    expected = f"{wanted.package.sha256 if wanted.package else ''}{_ARCHIVE}"
    if expected in built:
        return Ok(
            f"{name} is built from the archive {expected[:12]}…, version {wanted.package and wanted.package.version}"
        )
    if not built:
        return Unchecked(f"{name}: Google does not tell which archive it is built from")
    return Fault(f"{name} is built from another archive, {built[0][:12]}…, and {expected[:12]}… was packaged", APPLY)


def _log(wanted: Deployment) -> str:
    return f"gcloud logging read 'severity>=ERROR' --project={wanted.project} --freshness=1d"


check = Check("the functions", "roles/cloudfunctions.viewer on the project", _items)
