"""The Firestore ledger on a wire with nothing behind it: what it asks for, and what its errors come to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore_v1 import types
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from firebreak.adapters.google.calls import _credentials
from firebreak.adapters.storage.firestore import FirestoreDocuments, document_id
from firebreak.core.errors import Transient
from firebreak.ledger.documents import Conflict, Document, Documents, Index
from tests.emulators.firestore_wire import FirestoreWire

pytestmark = pytest.mark.thorough

SAVED = Document("incident", "a", "2026-01-02T03:04:05.123456Z", {})
OPERATIONS: dict[str, Callable[[Documents], object]] = {
    "create": lambda documents: documents.create("incident", "a", {}, Index(1, "x", 1)),
    "read": lambda documents: documents.read("incident", "a"),
    "replace": lambda documents: documents.replace(SAVED, {}),
    "newest": lambda documents: list(documents.newest("incident", 5)),
    "after": lambda documents: list(documents.after("incident", "a", 5)),
    "due": lambda documents: list(documents.due("incident", 5, 5)),
    "about": lambda documents: list(documents.about("incident", "x", 5)),
}
MEANINGS = {
    "PERMISSION_DENIED": "grant the role",
    "UNAUTHENTICATED": "gcloud auth application-default login",
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
    """With the database's name and the status."""
    wire.rule = lambda *_: status
    with pytest.raises(Transient) as told:
        documents_on(wire, seconds=0.5).read("incident", "a")

    assert MEANINGS[status] in str(told.value)
    assert "projects/shop-prod/databases/(default)" in str(told.value)
    assert f"({status}: " in str(told.value)


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


def test_without_credentials_it_is_said_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture
) -> None:
    """On a machine where nobody logged in."""
    mocker.patch("google.auth.default", side_effect=DefaultCredentialsError)
    monkeypatch.setattr("firebreak.adapters.google.calls._credentials", _credentials.__wrapped__)
    with pytest.raises(Transient, match=r"shop-prod.*gcloud auth application-default login"):
        FirestoreDocuments("shop-prod", "(default)", None).read("incident", "a")


def test_a_save_of_what_is_gone_is_a_conflict(wire: FirestoreWire) -> None:
    """Firestore forgot it since it was read: it does not come back as half a record."""
    wire.rule = lambda method, _: "NOT_FOUND" if method == "Commit" else "passed"
    with pytest.raises(Conflict):
        documents_on(wire).replace(SAVED, {})


def test_no_connection_is_made_before_the_first_use() -> None:
    """The server forks after start."""
    made = FirestoreDocuments("p", "(default)", "127.0.0.1:1")

    assert "_client" not in vars(made)


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
