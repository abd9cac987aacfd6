"""Every threat on Cloud Run that SCC still holds, settled ones too, as SCC tells it: for what looks back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.cloud.securitycenter_v2 import types as securitycenter_v2

from firebreak.adapters.google.calls import call_read
from firebreak.adapters.google.security_center import SecurityCenter
from firebreak.core.timestamps import format_instant
from firebreak.ports.deadline import Deadline

_PAGE = 500
_SECONDS = 60.0


def pages_since(scc: SecurityCenter, organization: str, location: str, since_ns: int) -> Iterator[list[dict[str, Any]]]:
    """Pages of `{finding, resource}` in SCC's JSON, in the order of their last event; raises Refused or Transient.

    A page has a minute; how long all of them take is not bounded.
    """
    request = securitycenter_v2.ListFindingsRequest(
        parent=f"organizations/{organization}/sources/-/locations/{location}",
        filter=(
            'finding_class = "THREAT" AND resource_name : "//run.googleapis.com/"'
            f' AND event_time >= "{format_instant(since_ns)}"'
        ),
        order_by="event_time",
        page_size=_PAGE,
    )
    call = scc.client_at(location).list_findings
    while True:
        page = next(iter(call_read(call, Deadline.after(_SECONDS), at_most=_SECONDS, request=request).pages))
        yield [_told(one) for one in page.list_findings_results]
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _told(result: Any) -> dict[str, Any]:  # noqa: ANN401 - one of Google's messages
    whole = type(result).to_dict(result, preserving_proto_field_name=False, use_integers_for_enums=False)
    return {"finding": whole.get("finding") or {}, "resource": whole.get("resource") or {}}
