"""The oracle: who can reach which revision of a local service now, worked out apart from Firebreak's own reading."""

from __future__ import annotations

from sandbox.world import World

_FROM_OUTSIDE = (1, 3)


def reachable_revisions(world: World, service: str) -> dict[str, set[str]]:
    """Revision short name to the ways in: `percent`, `tag NAME`. By what serves, not by what is wished for."""
    ways: dict[str, set[str]] = {}
    for one in world.service(service).service.traffic_statuses:
        if one.percent:
            ways.setdefault(one.revision, set()).add("percent")
        if one.tag:
            ways.setdefault(one.revision, set()).add(f"tag {one.tag}")
    return ways


def open_doors(world: World, service: str) -> set[str]:
    """The doors of the service that are open: `ingress`, `anybody`, `direct url`."""
    local = world.service(service)
    doors = set()
    if local.effective.ingress in _FROM_OUTSIDE:
        doors.add("ingress")
    members = {member for binding in local.policy.bindings for member in binding.members}
    if local.effective.invoker_iam_disabled or members & {"allUsers", "allAuthenticatedUsers"}:
        doors.add("anybody")
    if not local.effective.default_uri_disabled:
        doors.add("direct url")
    return doors
