"""Somebody who may write to the ledger and has no seal key."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from firebreak.ledger.documents import Document, Exists, Index
from tests.response.harness import Line

_PARTS = ("incident", "standing", "slots")
"""Where a body has its record as JSON, if not as text under a seal."""


def record_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The record in a body of any format."""
    if "sealed" in body:
        found: dict[str, Any] = json.loads(body["sealed"])
        return found
    return dict(next((body[part] for part in _PARTS if isinstance(body.get(part), Mapping)), body))


def with_record(body: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The body with another record and the seal that it had."""
    if "sealed" in body:
        return {**body, "sealed": json.dumps(record)}
    part = next((part for part in _PARTS if isinstance(body.get(part), Mapping)), None)
    return {**body, part: record} if part else {**body, **record}


def otherwise(value: object) -> Any:
    """Something of the same type that is not this value; for nothing a number."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return value[1:] if value else ["x"]
        case dict():
            return dict(list(value.items())[1:]) if value else {"x": "y"}
        case _:
            return 1


def nothing(_: object) -> None:
    """What is left of a field that is taken away."""


def fields_of(record: Mapping[str, Any], deep: frozenset[str] = frozenset()) -> Iterator[tuple[str, ...]]:
    """The way to every field of a record; of those named in `deep`, also to the fields below."""
    for name, value in record.items():
        yield (name,)
        if name in deep and isinstance(value, Mapping):
            yield from ((name, below) for below in value)


def changed(record: Mapping[str, Any], way: tuple[str, ...], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The record with one field changed, or without it where the change is None."""
    name, below = way[0], way[1:]
    kept = {key: value for key, value in record.items() if key != name}
    if below:
        return {**kept, name: changed(record[name], below, change)}
    after = change(record.get(name))
    return kept if after is None else {**kept, name: after}


@dataclass(frozen=True)
class Intruder:
    """What such a person does."""

    on: Line

    def finds(self, kind: str) -> list[Document]:
        """Every document of a kind, last saved first."""
        return list(self.on.app.ledger.documents.newest(kind, 1000))

    def reads(self, kind: str, key: str) -> Document:
        document = self.on.app.ledger.documents.read(kind, key)
        assert document is not None
        return document

    def writes(self, document: Document, body: Mapping[str, Any]) -> None:
        """Save over whatever stands there by now, and have the sweep look at it soon."""
        there = self.on.app.ledger.documents.read(document.kind, document.key)
        index = Index(due_ns=0) if document.kind == "incident" else Index()
        if there is None:
            self.on.app.ledger.documents.create(document.kind, document.key, body, index)
        else:
            self.on.app.ledger.documents.replace(there, body, index)

    def plants_text(self, kind: str, key: str, text: str) -> None:
        """Put this JSON there, whatever stands in its place."""
        try:
            self.on.app.ledger.documents.create(kind, key, json.loads(text), Index(due_ns=0))
        except Exists:
            self.writes(self.reads(kind, key), json.loads(text))

    def sets(self, document: Document, **parts: Any) -> None:
        """Change fields of its record."""
        self.writes(document, with_record(document.body, {**record_of(document.body), **parts}))

    def puts_back(self, *documents: Document) -> None:
        """Have an older version stand there again, seal and all."""
        for document in documents:
            self.writes(document, document.body)

    def deletes(self, kind: str) -> None:
        """Take away all documents of a kind."""
        assert self.finds(kind)
        with self._file() as file:
            file.execute("DELETE FROM documents WHERE kind = ?", (kind,))
        assert not self.finds(kind)

    def rows(self) -> list[dict[str, Any]]:
        """Everything that the ledger has."""
        with self._file() as file:
            file.row_factory = sqlite3.Row
            return [dict(one) for one in file.execute("SELECT * FROM documents")]

    def restores(self, rows: list[dict[str, Any]]) -> None:
        """Put the whole ledger back as it was."""
        with self._file() as file:
            file.execute("DELETE FROM documents")
            names = ", ".join(rows[0])
            values = ", ".join(f":{name}" for name in rows[0])
            file.executemany(f"INSERT INTO documents ({names}) VALUES ({values})", rows)  # noqa: S608 - our own columns

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.on.app.settings.ledger_path)) as file, file:
            yield file
