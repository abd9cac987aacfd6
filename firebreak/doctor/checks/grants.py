"""Who may do what within Firebreak's own project: call functions, publish, read secrets, write records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from firebreak.doctor.deployment import Binding
from firebreak.doctor.result import APPLY, Check, Examined, Fault, Item, Ok, Result
from firebreak.ports.deadline import Deadline
from firebreak.ports.inspection import Inspection


def _items(examined: Examined) -> Iterator[Item]:
    listed = sorted(examined.deployment.bindings, key=lambda one: (one.on, one.role, one.member))
    for on, wanted in groupby(listed, key=lambda one: one.on):
        yield Item(_short(on), partial(_look, examined.cloud, on, tuple(wanted)))


def _look(cloud: Inspection, on: str, wanted: tuple[Binding, ...], deadline: Deadline) -> Iterator[Result]:
    found = cloud.bindings(on, deadline)
    held = {(str(one.get("role")), str(member)) for one in found for member in one.get("members", ())}
    for one in wanted:
        if (one.role, one.member) not in held:
            yield Fault(f"{one.member} lacks {one.role} on {_short(on)}", APPLY)
    yield Ok(f"{len(wanted)} grants on {_short(on)} were looked for")


def _short(on: str) -> str:
    return "/".join(on.split("/")[-2:])


check = Check("who may do what in Firebreak's own project", "roles/iam.securityReviewer on the project", _items)
