"""Who may do what within Firebreak's own project: call functions, publish, read secrets, write records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from firebreak.core.errors import Missing
from firebreak.core.secrets.redaction import command_line
from firebreak.doctor.deployment import Binding
from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline


def _items(examined: Examined) -> Iterator[Item]:
    listed = sorted(examined.deployment.bindings, key=lambda one: (one.on, one.role, one.member))
    for on, wanted in groupby(listed, key=lambda one: one.on):
        yield Item(_short(on), partial(_look, examined, on, tuple(wanted)))


def _look(examined: Examined, on: str, wanted: tuple[Binding, ...], deadline: Deadline) -> Iterator[Result]:
    try:
        found = examined.cloud.bindings(on, deadline)
    except Missing:
        return  # which is the subject of another check
    held = {(str(one.get("role")), str(member)) for one in found for member in one.get("members", ())}
    needed = {(one.role, one.member) for one in wanted}
    for role, member in sorted(needed - held):
        yield Fault(f"{member} lacks {role} on {_short(on)}", APPLY)
    for role, member in sorted(held - needed):
        if role == _reserved(examined, on):
            yield Fault(f"{member} has {role} on {_short(on)} too, and should not", _taken_away(on, role, member))
    yield Ok(f"{len(wanted)} grants on {_short(on)} were looked for")


def _reserved(examined: Examined, on: str) -> str:
    """The role that nobody else may have there: to call a function, to read a secret, to command."""
    host, _, path = on.removeprefix("//").partition("/")
    if host == "pubsub.googleapis.com":
        return "roles/pubsub.publisher" if path == examined.deployment.topics.get("commands") else ""
    return {
        "run.googleapis.com": "roles/run.invoker",
        "secretmanager.googleapis.com": "roles/secretmanager.secretAccessor",
    }.get(host, "")


def _taken_away(on: str, role: str, member: str) -> str:
    host, _, project, *path = on.removeprefix("//").split("/")
    words = ("remove-iam-policy-binding", path[-1], f"--member={member}", f"--role={role}", f"--project={project}")
    if host == "run.googleapis.com":
        return command_line("gcloud", "run", "services", *words, f"--region={path[1]}")
    return command_line("gcloud", "secrets", *words) if host == "secretmanager.googleapis.com" else APPLY


def _short(on: str) -> str:
    return "/".join(on.split("/")[-2:])


check = Check("who may do what in Firebreak's own project", "roles/iam.securityReviewer on the project", _items)
