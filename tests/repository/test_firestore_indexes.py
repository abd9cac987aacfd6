"""What Terraform sets up in Firestore is what the code asks for: indexes, exemptions, and what may expire."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from google.cloud.firestore_v1 import types

from firebreak.adapters.storage.firestore import FirestoreDocuments
from firebreak.ledger.documents import Index
from tests.emulators.firestore_wire import FirestoreWire
from tests.repository.checkout import python_files, text_of

INDEXES = json.loads(text_of("firebreak/adapters/storage/firestore_indexes.json"))
NAMED = re.compile(r"\bdocuments\.(create|read|newest|after|due|about)$|^(Save|Place)$")


@pytest.fixture
def wire() -> Iterator[FirestoreWire]:
    with FirestoreWire() as running:
        yield running


def documents_on(wire: FirestoreWire) -> FirestoreDocuments:
    return FirestoreDocuments("shop-prod", "(default)", wire.host)


def asked(wire: FirestoreWire) -> list[types.StructuredQuery]:
    """The queries that each list sends."""
    documents = documents_on(wire)
    for found in (
        documents.newest("x", 5),
        documents.after("x", "y", 5),
        documents.due("x", 5, 5),
        documents.about("x", "y", 5),
    ):
        assert list(found) == []
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
    """The kinds that the code names, by operation, `Save` or `Place`.

    What is asked for by its subject names its kind in full; elsewhere it may be that of a `Place`, which names it.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in python_files():
        for node in ast.walk(ast.parse(text_of(path))) if not path.startswith(("tests/", "firebreak/adapters")) else ():
            if isinstance(node, ast.Call) and (named := NAMED.search(ast.unparse(node.func))) and node.args:
                kind = node.args[0]
                assert isinstance(kind, ast.Constant) or named[0] != "documents.about", f"{path}:{node.lineno}"
                found[named[0].rpartition(".")[2]] |= {str(kind.value)} if isinstance(kind, ast.Constant) else set()
    return found


def test_every_composite_index_that_a_list_needs_is_declared(wire: FirestoreWire) -> None:
    """A missing one would be noticed only in a deployment: the emulator makes what it needs by itself."""
    needed = [index for query in asked(wire) if (index := needed_index(query))]
    declared = {one["collection"]: one["fields"] for one in INDEXES["composite"]}
    kinds = kinds_in_use()

    assert needed == [[{"name": "subject", "order": "ASCENDING"}, {"name": "saved", "order": "DESCENDING"}]]
    assert kinds["about"] == declared.keys()
    assert all(fields == needed[0] for fields in declared.values())


def test_every_kind_has_its_body_out_of_the_indexes_and_may_expire(wire: FirestoreWire) -> None:
    """An indexed body would cost on every save, and what has expired would stay for ever."""
    documents_on(wire).create("incident", "a", {}, Index(1, "x", 1))
    commit = types.CommitRequest.deserialize(wire.requests[0][1])
    fields = set(commit.writes[0].update.fields)
    kinds = set.union(*kinds_in_use().values())

    assert "incident" in kinds
    assert {(one["collection"], one["field"]) for one in INDEXES["single_field_exemptions"]} == {
        (kind, "body") for kind in kinds
    }
    assert {(one["collection"], one["field"]) for one in INDEXES["ttl"]} == {(kind, "expire_at") for kind in kinds}
    assert fields == {"key", "body", "token", "due_ns", "subject", "expire_at"}
