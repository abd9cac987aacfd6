"""The Firestore ledger on a wire with nothing behind it: what it asks for, and what its errors come to."""

from __future__ import annotations

import ast
import json
import re
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.firestore_v1 import types
from hypothesis import given
from hypothesis import strategies as st

from adapters.firestore import FirestoreDocuments, document_id
from core.errors import Transient
from documents import Conflict, Document, Documents, Index
from tests.emulators.firestore_wire import FirestoreWire
from tests.repository.checkout import python_files, text_of

INDEXES = json.loads((Path(__file__).resolve().parents[2] / "adapters" / "firestore_indexes.json").read_text())
DOCUMENTS = re.compile(r"\bdocuments\.(create|read|newest|due|about)$")
SAVED = Document("incident", "a", "2026-01-02T03:04:05.123456Z", {})
OPERATIONS: dict[str, Callable[[Documents], object]] = {
    "create": lambda documents: documents.create("incident", "a", {}, Index(1, "x", 1)),
    "read": lambda documents: documents.read("incident", "a"),
    "replace": lambda documents: documents.replace(SAVED, {}),
    "newest": lambda documents: list(documents.newest("incident", 5)),
    "due": lambda documents: list(documents.due("incident", 5, 5)),
    "about": lambda documents: list(documents.about("incident", "x", 5)),
}
MEANINGS = {
    "PERMISSION_DENIED": "grant the role",
    "UNAUTHENTICATED": "grant the role",
    "NOT_FOUND": "does not exist",
    "FAILED_PRECONDITION": "apply Terraform",
    "INVALID_ARGUMENT": "report it",
    "RESOURCE_EXHAUSTED": "quota",
    "ABORTED": "busy",
    "UNAVAILABLE": "could not be reached",
    "DEADLINE_EXCEEDED": "could not be reached",
}


@pytest.fixture
def wire() -> Iterator[FirestoreWire]:
    with FirestoreWire() as running:
        yield running


def documents_on(wire: FirestoreWire, seconds: float = 10.0) -> FirestoreDocuments:
    return FirestoreDocuments("shop-prod", "(default)", wire.host, seconds)


@pytest.mark.parametrize("status", [one.name for one in grpc.StatusCode if one is not grpc.StatusCode.OK])
def test_every_status_of_every_operation_is_transient_and_says_so(wire: FirestoreWire, status: str) -> None:
    """Nothing raw escapes, and nothing is taken for saved, read or empty."""
    wire.rule = lambda *_: status
    documents = documents_on(wire, seconds=0.06)
    for operation in OPERATIONS.values():
        with pytest.raises(
            Transient, match=r"^nothing was (saved|read|listed), and it will be tried again: the ledger "
        ):
            operation(documents)


@pytest.mark.parametrize("status", MEANINGS)
def test_an_error_says_what_it_means_and_what_to_do(wire: FirestoreWire, status: str) -> None:
    """With the database's name and the server's words."""
    wire.rule = lambda *_: status
    with pytest.raises(Transient) as told:
        documents_on(wire, seconds=0.5).read("incident", "a")

    assert MEANINGS[status] in str(told.value)
    assert "projects/shop-prod/databases/(default)" in str(told.value)
    assert f"({status}: planted by a test)" in str(told.value)


def test_a_damaged_record_is_transient_and_hides_no_other(wire: FirestoreWire) -> None:
    """Somebody changed it by hand."""
    name = "projects/shop-prod/databases/(default)/documents/incident/"
    good = types.Document(name=f"{name}b", fields={"key": {"string_value": "b"}, "body": {"string_value": '{"n": 1}'}})
    bad = types.Document(name=f"{name}a", fields={"key": {"string_value": "a"}, "body": {"integer_value": 1}})
    wire.answers = {
        "RunQuery": [types.RunQueryResponse.serialize(types.RunQueryResponse(document=one)) for one in (bad, good)],
        "BatchGetDocuments": [types.BatchGetDocumentsResponse.serialize(types.BatchGetDocumentsResponse(found=bad))],
    }
    documents = documents_on(wire)
    with pytest.raises(Transient, match="damaged"):
        documents.read("incident", "a")

    assert [one.body for one in documents.newest("incident", 5)] == [{}, {"n": 1}]


def test_a_ledger_that_nobody_answers_for_is_transient() -> None:
    """As in an outage."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(Transient, match="could not be reached"):
            FirestoreDocuments("p", "(default)", host, seconds=0.2).read("incident", "a")


def test_a_save_of_what_is_gone_is_a_conflict(wire: FirestoreWire) -> None:
    """Firestore forgot it since it was read: it does not come back as half a record."""
    wire.rule = lambda method, _: "NOT_FOUND" if method == "Commit" else "passed"
    with pytest.raises(Conflict):
        documents_on(wire).replace(SAVED, {})


def test_no_connection_is_made_before_the_first_use() -> None:
    """The server forks after start."""
    made = FirestoreDocuments("p", "(default)", "127.0.0.1:1")

    assert "_client" not in vars(made)


def asked(wire: FirestoreWire) -> list[types.StructuredQuery]:
    """The queries that each list sends."""
    for name in ("newest", "due", "about"):
        OPERATIONS[name](documents_on(wire))
    requests = [types.RunQueryRequest.deserialize(body) for name, body in wire.requests if name == "RunQuery"]
    return [one.structured_query for one in requests]


def needed_index(query: types.StructuredQuery) -> list[dict[str, str]] | None:
    """The composite index that Firestore wants: equalities, then orders; None where one field has what it takes."""
    where = query.where.field_filter
    equal = [where.field.field_path] if where.op == types.StructuredQuery.FieldFilter.Operator.EQUAL else []
    fields = [{"name": name, "order": "ASCENDING"} for name in equal]
    fields += [
        {"name": one.field.field_path, "order": types.StructuredQuery.Direction(one.direction).name}
        for one in query.order_by
        if one.field.field_path != "__name__"
    ]
    return fields if len(fields) > 1 else None


def kinds_in_use() -> dict[str, set[str]]:
    """The kinds that the code names, by operation; a kind that is not written there in full is a fault."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in python_files():
        for node in ast.walk(ast.parse(text_of(path))) if not path.startswith(("tests/", "adapters/")) else ():
            if isinstance(node, ast.Call) and DOCUMENTS.search(called := ast.unparse(node.func)):
                kind = node.args[0]
                assert isinstance(kind, ast.Constant), f"{path}:{node.lineno}"
                found[called.rpartition(".")[2]].add(str(kind.value))
    return found


def test_every_composite_index_that_a_list_needs_is_declared(wire: FirestoreWire) -> None:
    """A missing one would be noticed only in a deployment: the emulator makes what it needs by itself."""
    needed = [index for query in asked(wire) if (index := needed_index(query))]
    declared = {one["collection"]: one["fields"] for one in INDEXES["composite"]}
    kinds = kinds_in_use()

    assert needed == [[{"name": "subject", "order": "ASCENDING"}, {"name": "saved", "order": "DESCENDING"}]]
    assert kinds["about"] <= declared.keys() <= set.union(*kinds.values())
    assert all(fields == needed[0] for fields in declared.values())


def test_every_kind_has_its_body_out_of_the_indexes_and_may_expire(wire: FirestoreWire) -> None:
    """An indexed body would cost on every save, and what has expired would stay for ever."""
    OPERATIONS["create"](documents_on(wire))
    commit = types.CommitRequest.deserialize(wire.requests[0][1])
    fields = set(commit.writes[0].update.fields)
    kinds = set.union(*kinds_in_use().values())

    assert "incident" in kinds
    assert {(one["collection"], one["field"]) for one in INDEXES["single_field_exemptions"]} == {
        (kind, "body") for kind in kinds
    }
    assert {(one["collection"], one["field"]) for one in INDEXES["ttl"]} == {(kind, "expire_at") for kind in kinds}
    assert fields == {"key", "body", "token", "due_ns", "subject", "expire_at"}


def test_a_save_carries_a_condition_a_token_and_the_server_s_time(wire: FirestoreWire) -> None:
    """The time of the update that was read, whole; the token is another each time."""
    documents = documents_on(wire)
    for name in ("create", "replace", "replace"):
        OPERATIONS[name](documents)
    writes = [types.CommitRequest.deserialize(body).writes[0] for _, body in wire.requests]
    conditions: list[Any] = [types.Write.pb(one).current_document for one in writes]
    tokens = {one.update.fields["token"].string_value for one in writes}

    assert conditions[0].WhichOneof("condition_type") == "exists"
    assert not conditions[0].exists
    assert [one.update_time.ToJsonString() for one in conditions[1:]] == [SAVED.version] * 2
    assert [one.update_transforms[0].field_path for one in writes] == ["saved"] * 3
    assert len(tokens) == 3


@given(st.lists(st.text(max_size=300), unique=True, min_size=2, max_size=5))
def test_every_key_has_an_id_of_its_own_that_firestore_takes(keys: list[str]) -> None:
    """No slash, not `.`, `..` or `__x__`, not too long, and no two keys share one."""
    ids = [document_id(key) for key in keys]

    assert len(set(ids)) == len(keys)
    assert all(0 < len(one.encode()) <= 1500 and "/" not in one and one[0] not in "._" for one in ids)


@pytest.mark.parametrize("one", ["%2F", ".", "..", "__x__", "=" + "0" * 64, "%", ""])
def test_what_looks_like_an_encoded_key_is_a_key_of_its_own(one: str) -> None:
    """Encoding it again gives yet another id."""
    ids = {one, document_id(one), document_id(document_id(one))}

    assert len(ids) == 3
