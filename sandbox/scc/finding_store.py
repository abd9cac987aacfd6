"""The findings that the local SCC holds: how they are addressed, put, muted and resolved."""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from sandbox.scc.finding_fields import Pair, cloud_of
from sandbox.world import World

_CONTAINER = r"(?P<container>(?:organizations|folders|projects)/[^/]+)"
_LOCATION = r"(?:/locations/(?P<location>[^/]+))?"
_PARENT = re.compile(rf"{_CONTAINER}/sources/(?P<source>[^/]+){_LOCATION}")
_FINDING = re.compile(rf"{_CONTAINER}/sources/(?P<source>[^/]+){_LOCATION}/findings/(?P<finding>[^/]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a finding or a listing is; `finding` is None for a listing, and `source` may be `-` there."""

    container: str
    source: str
    location: str
    finding: str | None

    def covers(self, pair: Pair) -> bool:
        """Whether the pair is what this address names, or lies in what it lists."""
        own = address_of(pair["finding"]["name"])
        return (
            own is not None
            and self.container in containers_of(pair)
            and self.source in ("-", own.source)
            and self.location == own.location
            and self.finding in (None, own.finding)
        )


def address_of(name: str) -> Address | None:
    """Read a finding's name in any spelling; without a location it is a global one."""
    found = _FINDING.fullmatch(name)
    return (
        Address(found["container"], found["source"], found["location"] or "global", found["finding"]) if found else None
    )


def parent_of(name: str) -> Address | None:
    """Read the parent of a listing; without a location it lists what is global."""
    found = _PARENT.fullmatch(name)
    return Address(found["container"], found["source"], found["location"] or "global", None) if found else None


def containers_of(pair: Pair) -> frozenset[str]:
    """Every organization, folder and project under which the finding is found, in each spelling."""
    cloud = cloud_of(pair)
    names = (address_of(str(pair["finding"].get(key) or "")) for key in ("name", "canonicalName"))
    folders = (str(one.get("resourceFolder") or "") for one in cloud.get("folders") or ())
    return frozenset(
        (
            *(one.container for one in names if one),
            str(cloud.get("organization") or ""),
            _relative(str(cloud.get("project") or "")),
            f"projects/{cloud.get('projectDisplayName') or ''}",
            *map(_relative, folders),
        )
    ) - {"", "projects/"}


def put_finding(world: World, finding: Mapping[str, Any], resource: Mapping[str, Any]) -> None:
    """Hold the finding, in place of the one with the same source and id; v1 spellings become v2's."""
    pair = {"finding": _as_v2(finding), "resource": copy.deepcopy(dict(resource))}
    new = _identity(pair)
    world.findings[:] = [*(one for one in world.findings if _identity(one) != new), pair]


def held(world: World, name: str) -> dict[str, Any]:
    """The pair as the world keeps it, by any spelling of the finding's name; raises KeyError if there is none."""
    address = address_of(name)
    for pair in world.findings:
        if address is not None and address.covers(pair):
            return pair
    raise KeyError(name)


def mute(world: World, name: str, mute: str = "MUTED", initiator: str = "analyst@shop.example") -> None:
    """Mute or unmute as a person would; neither state nor event time moves."""
    time = timestamp(world)
    held(world, name)["finding"].update(
        mute=mute,
        muteInitiator=initiator,
        muteUpdateTime=time,
        muteInfo={"staticMute": {"state": mute, "applyTime": time}},
    )


def set_state(world: World, name: str, state: str) -> None:
    """Make the finding ACTIVE or INACTIVE; a change moves its event time to now."""
    finding: MutableMapping[str, Any] = held(world, name)["finding"]
    if finding.get("state") != state:
        finding.update(state=state, eventTime=timestamp(world))


def timestamp(world: World) -> str:
    """The world's time as SCC writes times."""
    return world.now().astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _as_v2(given: Mapping[str, Any]) -> dict[str, Any]:
    finding = copy.deepcopy(dict(given))
    located: dict[str, Callable[[str], str]] = {"name": _located, "canonicalName": _located, "parent": _located_parent}
    for key, spell in located.items():
        if finding.get(key):
            finding[key] = spell(finding[key])
    if address_of(finding.get("name", "")) is None:
        message = f"not a finding's name: {finding.get('name')!r}"
        raise ValueError(message)
    return finding


def _located(name: str) -> str:
    own = address_of(name)
    return f"{own.container}/sources/{own.source}/locations/{own.location}/findings/{own.finding}" if own else name


def _located_parent(name: str) -> str:
    own = parent_of(name)
    return f"{own.container}/sources/{own.source}/locations/{own.location}" if own else name


def _identity(pair: Pair) -> tuple[str, str, str | None] | None:
    own = address_of(pair["finding"]["name"])
    return (own.source, own.location, own.finding) if own else None


def _relative(full: str) -> str:
    return full.removeprefix("//cloudresourcemanager.googleapis.com/")
