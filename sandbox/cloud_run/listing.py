"""Lists of a project's services, jobs and worker pools: in one region, or in all of them with `locations/-`."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import TypeVar

from sandbox.wire import Refusal
from sandbox.world import World

T = TypeVar("T")
_PAGE = 20


def below(world: World, found: Mapping[str, T], parent: str, collection: str) -> list[T]:
    """What lies under the parent, in the order of its names.

    Google's client says of services and worker pools that the location cannot be `-`, and of their answers what a list
    of all regions could not reach: a world has it either way.
    """
    parent = world.canonical(parent)
    everywhere = parent.endswith("/locations/-")
    if everywhere and collection != "jobs" and not world.lists_everywhere:
        code, message = "INVALID_ARGUMENT", "Location must be a valid Google Cloud region, and cannot be the wildcard."
        raise Refusal(code, message)
    glob = f"{parent.removesuffix('-')}*" if everywhere else parent
    return [one for name, one in sorted(found.items()) if fnmatch.fnmatchcase(name, f"{glob}/{collection}/*")]


def page(found: list[T], size: int, token: str) -> tuple[list[T], str]:
    """A page of them, and the token of the next one."""
    if token and not token.isdecimal():
        code, message = "INVALID_ARGUMENT", "The page token is not one of this list."
        raise Refusal(code, message)
    start = int(token or 0)
    end = start + min(size or _PAGE, _PAGE)
    return found[start:end], str(end) if end < len(found) else ""
