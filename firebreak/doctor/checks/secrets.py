"""The secrets that the functions read at their start: the seal key, VirusTotal's key, webhooks. No value is read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from firebreak.core.errors import Missing
from firebreak.core.secrets.redaction import all_named
from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection


def _items(examined: Examined) -> Iterator[Item]:
    for variable, name in sorted(examined.deployment.secrets.items()):
        yield Item(f"what {variable} is read from", partial(_look, examined.cloud, variable, name))


def _look(cloud: Inspection, variable: str, name: str, deadline: Deadline) -> Iterator[Result]:
    parts = name.split("/")
    project, secret, version = parts[1], parts[3], parts[-1]
    add = f"gcloud secrets versions add {secret} --data-file=- --project={project}"
    try:
        state = cloud.get(f"//secretmanager.googleapis.com/{name}", deadline).get("state")
    except Missing:
        yield Fault(f"{variable} has no version {version}, and no function starts without it", add)
        return
    if state != "ENABLED":
        # The secret's name, and no secret: it is shown whole.
        enable = all_named(f"gcloud secrets versions enable {version} --secret={secret} --project={project}", secret)
        yield Fault(
            f"the version {version} that {variable} is read from is {state}", add if version == "latest" else enable
        )
    else:
        yield Ok(f"{variable} is read from version {version} of {secret}")


check = Check("the secrets", "roles/secretmanager.viewer on the project", _items)
