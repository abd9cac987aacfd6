"""The embedded ledger: one SQLite file, every save a compare-and-set on a random version."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from core.errors import Transient
from ledger import Conflict, Document, Exists

_TABLE = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, saved INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_saved ON documents (kind, saved DESC);
"""


class SqliteDocuments:
    """Documents in one file. Safe between threads and processes; a connection for each thread, made when first used."""

    def __init__(self, path: Path) -> None:
        """Remember the path; nothing is opened before the first use."""
        self._path = path
        self._local = threading.local()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._open()
            yield connection
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as fault:
            message = f"the ledger {self._path} cannot be used: {fault}"
            raise Transient(message) from None

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_TABLE)
        return connection

    def create(self, kind: str, key: str, body: Mapping[str, Any]) -> Document:
        """Store a new document; raises Exists."""
        document = Document(kind, key, uuid.uuid4().hex, body)
        with self._connection() as connection:
            try:
                connection.execute(
                    "INSERT INTO documents VALUES (?, ?, ?, ?, ?)",
                    (kind, key, document.version, _next(connection, kind), json.dumps(body)),
                )
            except sqlite3.IntegrityError:
                raise Exists(key) from None
        return document

    def read(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        with self._connection() as connection, closing(connection.cursor()) as cursor:
            row = cursor.execute(
                "SELECT version, body FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return Document(kind, key, row[0], _loaded(key, row[1])) if row else None

    def replace(self, document: Document, body: Mapping[str, Any]) -> Document:
        """Save over exactly the version that was read; raises Conflict."""
        version = uuid.uuid4().hex
        with self._connection() as connection:
            cursor = connection.execute(
                "UPDATE documents SET version = ?, saved = ?, body = ? WHERE kind = ? AND key = ? AND version = ?",
                (
                    version,
                    _next(connection, document.kind),
                    json.dumps(body),
                    document.kind,
                    document.key,
                    document.version,
                ),
            )
        if cursor.rowcount != 1:
            message = f"{document.kind} {document.key} was saved by somebody else meanwhile"
            raise Conflict(message)
        return Document(document.kind, document.key, version, body)

    def newest(self, kind: str, limit: int) -> Iterator[Document]:
        """The documents of a kind, last saved first."""
        with self._connection() as connection, closing(connection.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT key, version, body FROM documents WHERE kind = ? ORDER BY saved DESC LIMIT ?", (kind, limit)
            ).fetchall()
        for key, version, body in rows:
            yield Document(kind, key, version, _loaded(key, body))


def _next(connection: sqlite3.Connection, kind: str) -> int:
    """A number above every one given to this kind so far: the order of saves, whatever the clock says."""
    row = connection.execute("SELECT COALESCE(MAX(saved), 0) + 1 FROM documents WHERE kind = ?", (kind,)).fetchone()
    return int(row[0])


def _loaded(key: str, text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        message = f"the ledger's record {key} is damaged"
        raise Transient(message)
    return body
