"""Listing findings: parent, filter, order, pages and fields, as SCC v2 answers."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from google.cloud.securitycenter_v2 import types
from google.protobuf import field_mask_pb2

from firebreak.core.timestamps import parse_instant
from sandbox.scc.finding_fields import MARK, Pair, value_of
from sandbox.scc.finding_store import parent_of
from sandbox.scc.findings_filter import FilterFault, parse_filter
from sandbox.wire import Refusal

_ORDERED = frozenset({"name", "parent", "state", "category", "resource_name", "event_time"})
_PAGE = 10
_LARGEST_PAGE = 1000


def list_findings(findings: list[dict[str, Any]], request: types.ListFindingsRequest) -> types.ListFindingsResponse:
    """One page; raises Refusal for anything that SCC does not document."""
    found = _ordered(list(_selected(findings, request)), request.order_by)
    size = _page_size(request.page_size)
    start = _start(request)
    page = found[start : start + size]
    more = start + size < len(found)
    return types.ListFindingsResponse(
        list_findings_results=[result_of(pair, types.ListFindingsRequest.pb(request).field_mask) for pair in page],
        next_page_token=_token(start + size, request) if more else "",
        total_size=len(found),
    )


def result_of(
    pair: Pair, mask: field_mask_pb2.FieldMask | None = None
) -> types.ListFindingsResponse.ListFindingsResult:
    """The pair as Google's types hold it: fields and enum names that they do not know are dropped."""
    result = types.ListFindingsResponse.ListFindingsResult
    finding = finding_of(pair["finding"])
    if mask is not None and mask.paths:
        finding = _masked(finding, mask)
    resource = result.Resource.from_json(json.dumps(pair.get("resource") or {}), ignore_unknown_fields=True)
    return result(finding=finding, resource=resource)


def finding_of(finding: Mapping[str, Any]) -> types.Finding:
    """A finding in JSON as Google's type."""
    made: types.Finding = types.Finding.from_json(json.dumps(finding), ignore_unknown_fields=True)
    return made


def _selected(findings: list[dict[str, Any]], request: types.ListFindingsRequest) -> Iterator[dict[str, Any]]:
    parent = parent_of(request.parent)
    if parent is None:
        _refuse(f"Invalid parent: {request.parent!r}")
    try:
        wanted = parse_filter(request.filter)
    except FilterFault as fault:
        _refuse(f"Invalid filter: {fault}")
    return (pair for pair in findings if parent.covers(pair) and wanted.holds(pair))


def _ordered(found: list[dict[str, Any]], order_by: str) -> list[dict[str, Any]]:
    for clause in reversed(order_by.split(",") if order_by.strip() else []):
        words = clause.split()
        known = words and (words[0] in _ORDERED or words[0].startswith(MARK))
        if not known or words[1:] not in ([], ["desc"]):
            _refuse(f"Invalid order_by: {clause!r}")
        found = sorted(found, key=lambda pair, field=words[0]: _rank(pair, field), reverse=len(words) > 1)  # type: ignore[misc]
    return found


def _rank(pair: Pair, field: str) -> tuple[int, tuple[str, ...]]:
    values = value_of(pair, field)
    if field != "event_time":
        return 0, values
    return (parse_instant(values[0]) if values[0] else 0), ()


def _page_size(asked: int) -> int:
    if asked < 0 or asked > _LARGEST_PAGE:
        _refuse(f"page_size must be between 1 and {_LARGEST_PAGE}")
    return asked or _PAGE


def _start(request: types.ListFindingsRequest) -> int:
    if not request.page_token:
        return 0
    try:
        start, query = json.loads(base64.urlsafe_b64decode(request.page_token))
    except ValueError:
        start, query = None, None
    if not isinstance(start, int) or query != _query(request):
        _refuse("page_token is not one of this listing")
    return start


def _token(start: int, request: types.ListFindingsRequest) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, _query(request)]).encode()).decode()


def _query(request: types.ListFindingsRequest) -> str:
    return hashlib.sha256(json.dumps([request.parent, request.filter, request.order_by]).encode()).hexdigest()[:16]


def _masked(finding: types.Finding, mask: field_mask_pb2.FieldMask) -> types.Finding:
    whole = types.Finding.pb(finding)
    if not mask.IsValidForDescriptor(whole.DESCRIPTOR):
        _refuse("Invalid field_mask")
    part = types.Finding()
    mask.MergeMessage(whole, types.Finding.pb(part))
    return part


def _refuse(message: str) -> NoReturn:
    code = "INVALID_ARGUMENT"
    raise Refusal(code, message)
