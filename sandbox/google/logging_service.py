"""A local Cloud Logging, v2, to read from: entries listed as the real, unmodified client asks for them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

import grpc
from google.cloud.logging_v2 import types

from firebreak.core.timestamps import parse_instant
from sandbox.cloud_run.admission import admitted
from sandbox.google.logging_filter import FilterFault, parse_filter
from sandbox.wire import Methods, Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.logging.v2.LoggingServiceV2"
_PROJECT = re.compile(r"projects/([a-z0-9][a-z0-9.:-]*)", re.ASCII)
_PAGE, _LARGEST_PAGE = 50, 1000
_ORDERS = ("", "timestamp asc", "timestamp desc")


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """The methods of the service that this local one has."""
    methods: Methods = {
        "ListLogEntries": (types.ListLogEntriesRequest, types.ListLogEntriesResponse, partial(list_entries, world)),
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]


def list_entries(world: World, request: types.ListLogEntriesRequest) -> types.ListLogEntriesResponse:
    """One page; raises Refusal for anything that is not documented, or not known here."""
    if request.page_size < 0 or request.page_size > _LARGEST_PAGE:
        _refuse(f"page_size must be between 0 and {_LARGEST_PAGE}")
    found = _selected(world, request)
    start = _start(request)
    end = start + (request.page_size or _PAGE)
    return types.ListLogEntriesResponse(
        entries=[types.LogEntry.from_json(json.dumps(one)) for one in found[start:end]],
        next_page_token=_token(end, request) if end < len(found) else "",
    )


def _selected(world: World, request: types.ListLogEntriesRequest) -> list[Mapping[str, Any]]:
    if request.order_by not in _ORDERS:
        _refuse(f"order_by must be one of {', '.join(_ORDERS[1:])}")
    projects = {_project(world, name) for name in request.resource_names}
    if not projects:
        _refuse("resource_names must name at least one resource")
    try:
        wanted = parse_filter(request.filter)
    except FilterFault as fault:
        _refuse(f"Unparseable filter: {fault}")
    found = [one for one in world.logs if _home(one) in projects and wanted.holds(one)]
    return sorted(
        found,
        key=lambda one: (parse_instant(one["timestamp"]), one["insertId"]),
        reverse=request.order_by == "timestamp desc",
    )


def _home(entry: Mapping[str, Any]) -> str:
    return str(entry["logName"]).split("/")[1]


def _project(world: World, name: str) -> str:
    """The project's id, by whichever spelling."""
    if not _PROJECT.fullmatch(name):
        _refuse(f"Invalid resource name: {name!r}")
    return world.canonical(name).partition("/")[2]


def _start(request: types.ListLogEntriesRequest) -> int:
    if not request.page_token:
        return 0
    number = base64.urlsafe_b64decode(request.page_token.encode()).decode().partition(":")[0]
    if not number.isdigit() or _token(int(number), request) != request.page_token:
        _refuse("page_token is not of this query")
    return int(number)


def _token(start: int, request: types.ListLogEntriesRequest) -> str:
    """Good only with the same question."""
    asked = f"{sorted(request.resource_names)}{request.filter}{request.order_by}"
    return base64.urlsafe_b64encode(f"{start}:{hashlib.sha256(asked.encode()).hexdigest()[:16]}".encode()).decode()


def _refuse(message: str) -> NoReturn:
    code = "INVALID_ARGUMENT"
    raise Refusal(code, message)
