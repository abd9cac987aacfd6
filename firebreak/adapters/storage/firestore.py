"""The deployed ledger: Firestore documents, each save one conditional commit that no lost answer doubles or hides."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from google.api_core.exceptions import DeadlineExceeded
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from firebreak.adapters.google.calls import client_of
from firebreak.adapters.storage.firestore_faults import CONDITION_FAILED, PASSING, no_credentials, translate_faults
from firebreak.adapters.storage.json_bodies import listed_document, read_document, text_of
from firebreak.core.timestamps import format_instant
from firebreak.ledger.documents import Conflict, Document, Documents, Exists, Index, Save
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline

T = TypeVar("T")
_SECONDS = 10.0  # for one operation with all its attempts; of these, parts:
_ATTEMPT = 0.4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1
_PAGE = 50
_LONGEST_ID = 700
_ServerValue = types.DocumentTransform.FieldTransform.ServerValue


class FirestoreDocuments(Documents):
    """Documents in one database, a collection for each kind. Safe between threads, processes and machines.

    Each save is one commit, with a token of its own and a precondition for each document (absent, or the update time
    that was read). A client that retries after a lost answer gets AlreadyExists or FailedPrecondition for its own
    write. So the documents are read back then: if one carries our token, this commit succeeded. There is no
    transaction, and so no lock that a dead process could hold.

    Saves are listed by Firestore's clock, to a millisecond; within one millisecond their order is undefined. Due and
    expiry times come from the clock of the process that saves: if it is wrong, a document is found or forgotten too
    early or too late by that much.
    """

    permissions = frozenset(f"datastore.entities.{verb}" for verb in ("create", "get", "list", "update"))

    def __init__(self, project: str, database: str, emulator: str | None, seconds: float = _SECONDS) -> None:
        """`emulator` is `host:port`, or None for Google's; the client is made on first use, after any fork."""
        self._database = f"projects/{project}/databases/{database}"
        self._root = f"{self._database}/documents"
        self._emulator = emulator
        self._seconds = seconds
        # As Google's own client sends it: the database for routing, and who we are where nobody checks.
        self._metadata = [("google-cloud-resource-prefix", self._database)]
        self._metadata += [("authorization", "Bearer owner")] if emulator else []

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        with no_credentials(self._database):
            return client_of(FirestoreClient, FirestoreGrpcTransport, self._emulator)

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        """Save all of them or none, and index each anew; raises Exists, Conflict or TooLarge."""
        token, deadline = uuid.uuid4().hex, Deadline.after(self._seconds)
        request = types.CommitRequest(database=self._database, writes=[self._write(one, token) for one in writes])
        with translate_faults(self._database, "saved"):
            with suppress(*CONDITION_FAILED):
                answer = self._call(self._client.commit, request, deadline)
                if results := types.CommitResponse.pb(answer).write_results:
                    return _saved(writes, [one.update_time for one in results])
            found = self._stored([(one.kind, one.key) for one in writes], deadline)
        # One commit saved all of them, at one time: also those that somebody else has saved over since.
        if ours := [one.update_time for one in found if one is not None and one.fields["token"].string_value == token]:
            return _saved(writes, ours[:1] * len(writes))
        raise _in_the_way(writes, found)

    def _write(self, save: Save, token: str) -> types.Write:
        version = {"exists": False} if save.over is None else {"update_time": save.over.version}
        return types.Write(
            update=types.Document(name=self._name(save.kind, save.key), fields=_fields(save, token)),
            update_transforms=[{"field_path": "saved", "set_to_server_value": _ServerValue.REQUEST_TIME}],
            current_document=None if save.whatever else types.Precondition(**version),
        )

    def read(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        with translate_faults(self._database, "read"):
            (stored,) = self._stored([(kind, key)], Deadline.after(self._seconds))
        return _document(kind, stored, read_document) if stored else None

    def _stored(self, places: Sequence[tuple[str, str]], deadline: Deadline) -> list[Any]:
        """Each as the raw message, or None. A missing document is told apart from a missing database, an error."""
        names = [self._name(*one) for one in places]
        request = types.BatchGetDocumentsRequest(database=self._database, documents=names)
        call = lambda **how: list(self._client.batch_get_documents(**how))  # noqa: E731 - a stream, whole or not at all
        answers = self._call(call, request, deadline)
        found = {one.found.name: types.Document.pb(one.found) for one in answers if one.found.name}
        return [found.get(one) for one in names]

    def newest(self, kind: str, limit: int) -> Iterator[Document]:
        """The documents of a kind, last saved first."""
        return self._listed(kind, limit, ("saved", "DESCENDING"))

    def after(self, kind: str, key: str, limit: int) -> Iterator[Document]:
        """The documents of a kind by their ids, those behind the one of this key."""
        begin = types.Value(reference_value=self._name(kind, key)) if key else None
        return self._listed(kind, limit, ("__name__", "ASCENDING"), begin=begin)

    def due(self, kind: str, before_ns: int, limit: int) -> Iterator[Document]:
        """The documents due at that time or before, the longest due first."""
        until = _filter("due_ns", "LESS_THAN_OR_EQUAL", types.Value(integer_value=before_ns))
        return self._listed(kind, limit, ("due_ns", "ASCENDING"), until)

    def about(self, kind: str, subject: str, limit: int) -> Iterator[Document]:
        """The documents with that subject, last saved first; of the empty subject, none."""
        if not subject:
            return iter(())
        equal = _filter("subject", "EQUAL", types.Value(string_value=subject))
        return self._listed(kind, limit, ("saved", "DESCENDING"), equal)

    def count(self, kind: str) -> int:
        """How many documents there are of a kind; Firestore counts a thousand of them for the price of a read."""
        counted = types.StructuredAggregationQuery.Aggregation(count={}, alias="count")
        query = types.StructuredAggregationQuery(
            structured_query={"from_": [{"collection_id": kind}]}, aggregations=[counted]
        )
        request = types.RunAggregationQueryRequest(parent=self._root, structured_aggregation_query=query)
        call = lambda **how: list(self._client.run_aggregation_query(**how))  # noqa: E731 - a stream, whole or not at all
        with translate_faults(self._database, "counted"):
            answers = self._call(call, request, Deadline.after(self._seconds))
        found = [one.result.aggregate_fields["count"].integer_value for one in answers if one.result.aggregate_fields]
        return int(found[-1]) if found else 0

    def forget(self, now_ns: int, limit: int) -> int:  # noqa: ARG002 - the protocol's arguments
        """Nothing: Firestore deletes by itself what its policy on `expire_at` lets go, within about a day."""
        return 0

    def _listed(
        self,
        kind: str,
        limit: int,
        order: tuple[str, str],
        where: Any = None,  # noqa: ANN401 - a filter
        begin: types.Value | None = None,
    ) -> Iterator[Document]:
        """Page by page, each beginning after the last document of the one before, so that no page is large or slow."""
        fields = dict.fromkeys((order[0], "__name__"))
        query: dict[str, Any] = {
            "from_": [{"collection_id": kind}],
            "where": where,
            "order_by": [{"field": {"field_path": name}, "direction": order[1]} for name in fields],
        }
        if begin:
            query["start_at"] = types.Cursor(values=[begin], before=False)
        left = limit
        while left > 0:
            size = min(left, _PAGE)
            page = self._page(types.StructuredQuery({**query, "limit": size}))
            yield from (_document(kind, one, listed_document) for one in page)
            left -= size
            if len(page) < size:
                return
            last = [page[-1].fields[name] for name in fields if name != "__name__"]
            last.append(types.Value(reference_value=page[-1].name))
            query["start_at"] = types.Cursor(values=last, before=False)

    def _page(self, query: types.StructuredQuery) -> list[Any]:
        request = types.RunQueryRequest(parent=self._root, structured_query=query)
        call = lambda **how: list(self._client.run_query(**how))  # noqa: E731 - a stream, whole or not at all
        with translate_faults(self._database, "listed"):
            answers = self._call(call, request, Deadline.after(self._seconds))
        return [types.Document.pb(one.document) for one in answers if one.document.name]

    def _call(self, call: Callable[..., T], request: object, deadline: Deadline) -> T:
        """Ask until there is an answer or no time; an attempt that hangs does not use up the time of the next."""
        backoff = Backoff(deadline, self._seconds * _FIRST_PAUSE, self._seconds * _LONGEST_PAUSE, growth=2)
        reason = None
        while True:
            timeout = max(deadline.remaining(self._seconds * _ATTEMPT), 0.001)
            try:
                return call(request=request, retry=None, timeout=timeout, metadata=self._metadata)
            except PASSING as fault:
                # The last attempt may have had no time left, which says less than what was answered before.
                reason = reason if reason and isinstance(fault, DeadlineExceeded) else fault
                if not backoff.wait():
                    raise reason from None

    def _name(self, kind: str, key: str) -> str:
        return f"{self._root}/{kind}/{document_id(key)}"


def document_id(key: str) -> str:
    """One id for each key, within Firestore's rules: no slash, not `.`, `..` or `__x__`, at most 1,500 bytes."""
    quoted = quote(key, safe=" ~")
    if quoted[:1] in ("", ".", "_"):
        quoted = f"%{ord(key[0]):02X}{quoted[1:]}" if key else "%"
    return quoted if len(quoted) <= _LONGEST_ID else f"={hashlib.sha256(key.encode()).hexdigest()}"


def _saved(writes: Sequence[Save], times: Sequence[Any]) -> list[Document]:
    """The documents as saved, each at the time that Firestore told, which is its version."""
    pairs = zip(writes, times, strict=True)
    return [Document(one.kind, one.key, at.ToJsonString(), one.body, one.index) for one, at in pairs]


def _in_the_way(writes: Sequence[Save], found: Sequence[Any]) -> Conflict:
    """Which document is not as its write wants it; where all of them are again, any of them was."""
    for one, stored in zip(writes, found, strict=True):
        if one.over is None and stored is not None and not one.whatever:
            return Exists(one.kind, one.key)
        if one.over is not None and (stored is None or stored.update_time.ToJsonString() != one.over.version):
            return Conflict(one.kind, one.key)
    return Conflict(writes[0].kind, writes[0].key)


def _fields(save: Save, token: str) -> dict[str, types.Value]:
    """What is not indexed has no field at all, and so no entry in any index."""
    index, body = save.index, text_of(save.kind, save.key, save.body)
    texts = {"key": save.key, "body": body, "token": token}
    fields = {name: types.Value(string_value=text) for name, text in texts.items()}
    if index.due_ns is not None:
        fields["due_ns"] = types.Value(integer_value=index.due_ns)
    if index.subject:
        fields["subject"] = types.Value(string_value=index.subject)
    if index.expires_ns is not None:
        fields["expire_at"] = types.Value(timestamp_value=format_instant(index.expires_ns))
    return fields


def _filter(field: str, operator: str, value: types.Value) -> dict[str, Any]:
    return {"field_filter": {"field": {"field_path": field}, "op": operator, "value": value}}


def _document(kind: str, stored: Any, made: Callable[[str, str, str, object, Index], Document]) -> Document:  # noqa: ANN401 - raw
    key, version = str(stored.fields["key"].string_value), stored.update_time.ToJsonString()
    return made(kind, key, version, stored.fields["body"].string_value, _index(stored.fields))


def _index(fields: Any) -> Index:  # noqa: ANN401 - raw
    """What `_fields` made of an index."""
    return Index(
        int(fields["due_ns"].integer_value) if "due_ns" in fields else None,
        str(fields["subject"].string_value) if "subject" in fields else "",
        fields["expire_at"].timestamp_value.ToNanoseconds() if "expire_at" in fields else None,
    )
