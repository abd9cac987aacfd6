"""The policies in force: those by which the last incident was decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from firebreak.core.errors import Missing
from firebreak.core.timestamps import parse_instant
from firebreak.doctor.result import Check, Examined, Fault, Item, Ok, Result
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline

_NEWEST = 50


def _items(examined: Examined) -> Iterator[Item]:
    yield Item("the policies in force", partial(_look, examined))


def _look(examined: Examined, deadline: Deadline) -> Iterator[Result]:
    package, since_ns = examined.deployment.package, _deployed_ns(examined, deadline)
    if package is None:
        return
    found = [one.incident for one in examined.ledger().listed(_NEWEST) if isinstance(one, StoredIncident)]
    decided = [one for one in found if one.decision is not None and one.created_ns > since_ns]
    newest = max(decided, key=lambda one: one.created_ns, default=None)
    if newest is None or newest.decision is None:
        yield Ok(f"the archive has the policies {package.policy_set[:12]}; nothing was decided since it was deployed")
    elif newest.decision.policy_set != package.policy_set:
        other = newest.decision.policy_set[:12]
        yield Fault(
            f"{newest.id} was decided by other policies, {other}, and {package.policy_set[:12]} were packaged",
            "firebreak configure with the output of the last apply, or apply the archive that you packaged",
        )
    else:
        yield Ok(f"the last incident was decided by the policies that were packaged, {package.policy_set[:12]}")


def _deployed_ns(examined: Examined, deadline: Deadline) -> int:
    """When the functions were last deployed, nanoseconds since 1970."""
    found = []
    for one in examined.deployment.functions.values():
        with suppress(Missing):  # which is the subject of another check
            found.append(examined.cloud.get(f"//cloudfunctions.googleapis.com/{one.name}", deadline))
    return max((parse_instant(str(one["updateTime"])) for one in found if "updateTime" in one), default=0)


check = Check("the policies", "roles/cloudfunctions.viewer on the project", _items)
