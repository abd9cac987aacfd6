"""The oracle in full: every way from a caller to a revision that is open now, by what serves rather than by wish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.cloud_run.local_service import LocalService
from sandbox.world import World

Origin = Literal["internet", "load_balancer", "internal"]
Caller = Literal["anyone", "any_account", "named"]

_ORIGINS: dict[int, tuple[Origin, ...]] = {
    1: ("internet", "load_balancer", "internal"),
    2: ("internal",),
    3: ("load_balancer", "internal"),
    4: (),
}
# Any other role, a custom one above all, may carry the right to invoke.
_NOT_INVOKING = frozenset({"roles/viewer", "roles/browser", "roles/run.viewer"})
_ANYONE: frozenset[Caller] = frozenset({"anyone"})
_ALL = 1
_MANUAL = 2


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """An open way: `percent` is its share of plain requests, and 0 on a way through `tag`, which is else empty."""

    revision: str
    origin: Origin
    caller: Caller
    tag: str
    percent: int


def who_can_reach(world: World, service: str) -> frozenset[Way]:
    """Every open way to the service. Grants inherited from above the service are not of this world.

    A door counts as shut only once the operation that shut it has succeeded: until then, and after one that failed,
    every door of the service still counts as open to anyone.
    """
    with world.lock:
        local = world.service(service)
        if not _settled(world, local):
            # What was in force before is not recorded, so the check of callers may be off too.
            origins, address, callers = _ORIGINS[_ALL], True, _checked(local) | _ANYONE
        else:
            # UNSPECIFIED is the default, which is all.
            origins = _ORIGINS[int(local.service.ingress) or _ALL]
            address, callers = not local.service.default_uri_disabled, _callers(local)
        return frozenset(
            Way(revision, origin, caller, tag, percent)
            for revision, tag, percent in _served(local)
            for origin in origins
            # Without its own address a service is still behind a load balancer, if it has one.
            if address or origin == "load_balancer"
            for caller in callers
        )


def revisions_open_to(world: World, service: str, origin: Origin, caller: Caller) -> frozenset[str]:
    """Short names of the revisions that such a caller reaches from there."""
    ways = who_can_reach(world, service)
    return frozenset(one.revision for one in ways if (one.origin, one.caller) == (origin, caller))


def _served(local: LocalService) -> Iterator[tuple[str, str, int]]:
    """Revision, tag and percent; scaled to nothing by hand, only what has a tag alone still starts."""
    existing = {one.name.rpartition("/")[2] for one in local.revisions}
    scaling = local.service.scaling
    off = scaling.scaling_mode == _MANUAL and scaling.manual_instance_count == 0
    shared = {one.revision for one in local.service.traffic_statuses if one.percent}
    for one in local.service.traffic_statuses:
        if one.revision not in existing or (off and one.revision in shared):
            continue
        if one.percent:
            yield one.revision, "", one.percent
        if one.tag:
            yield one.revision, one.tag, 0


def _callers(local: LocalService) -> frozenset[Caller]:
    return _ANYONE if local.service.invoker_iam_disabled else _checked(local)


def _checked(local: LocalService) -> frozenset[Caller]:
    """Who gets in where IAM is asked; a binding under a condition counts, for the condition may hold."""
    members = {
        member
        for binding in local.policy.bindings
        if binding.role not in _NOT_INVOKING and "_withcond_" not in binding.role
        for member in binding.members
    }
    kinds: dict[str, Caller] = {"allUsers": "anyone", "allAuthenticatedUsers": "any_account"}
    return frozenset(kinds.get(member, "named") for member in members)


def _settled(world: World, local: LocalService) -> bool:
    last = [one for one in world.operations.values() if one.local is local][-1:]
    return not local.service.reconciling and all(one.fails_with is None or one.serves for one in last)
