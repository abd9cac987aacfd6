"""Cloud Logging v2: the entries that a query fits, bounded in number, size and time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import ListLogEntriesRequest, LogEntry

from firebreak.adapters.google.calls import client_of, pages_of
from firebreak.core.errors import Transient
from firebreak.core.findings.logs import LogLines, LogQuery, Order, line_of, quoted
from firebreak.ports.deadline import Deadline

_PAGE = 200
_MOST_PAGES = 10
_MOST_BYTES = 2_000_000


class CloudLogging:
    """Reads log entries. The client is made on first use, after any fork."""

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local Cloud Logging, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        return client_of(LoggingServiceV2Client, LoggingServiceV2GrpcTransport, self._emulator)

    def lines(self, query: LogQuery, order: Order, most: int, deadline: Deadline) -> LogLines:
        """At most that many entries, newest or oldest first; raises Denied or Transient.

        What was read when the time or the size is up is kept, as not whole.
        """
        request = ListLogEntriesRequest(
            resource_names=[f"projects/{query.project}"],
            filter=query.filter,
            order_by=f"timestamp {order}",
            page_size=min(_PAGE, most),
        )
        entries: list[Mapping[str, Any]] = []
        size, whole = 0, False
        try:
            for number, page in enumerate(pages_of(self._client.list_log_entries, deadline, request), start=1):
                entries += [json_of(one) for one in page.entries if _fits(one, query)]
                size += sum(LogEntry.pb(one).ByteSize() for one in page.entries)
                whole = not page.next_page_token
                if len(entries) >= most or size >= _MOST_BYTES or number >= _MOST_PAGES:
                    break
        except Transient:
            if not entries:
                raise
        kept = tuple(entries[:most])
        return LogLines(tuple(map(line_of, kept)), whole and len(entries) <= most, kept)


def _fits(entry: LogEntry, query: LogQuery) -> bool:
    """Whether the entry is of exactly this workload: the query language ignores case."""
    of = {"resource.type": entry.resource.type, **{f"resource.labels.{k}": v for k, v in entry.resource.labels.items()}}
    of |= {f"labels.{quoted(key)}": value for key, value in entry.labels.items()}
    return all(of.get(name) == value for name, value in query.terms.items())


def json_of(entry: LogEntry) -> Mapping[str, Any]:
    """The entry in Cloud Logging's own JSON; of a payload that cannot be read the name of its kind is left."""
    try:
        return _dict(entry)
    except Exception:  # noqa: BLE001 - a payload may hold whatever its writer put there
        without = LogEntry(entry)
        kind = LogEntry.pb(without).WhichOneof("payload")
        LogEntry.pb(without).ClearField(kind)
        return {**_dict(without), "protoPayload": {"@type": entry.proto_payload.type_url or f"unreadable {kind}"}}


def _dict(entry: LogEntry) -> dict[str, Any]:
    return dict(
        LogEntry.to_dict(
            entry,
            preserving_proto_field_name=False,
            use_integers_for_enums=False,
            always_print_fields_with_no_presence=False,
        )
    )
