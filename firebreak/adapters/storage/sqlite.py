"""The embedded ledger: one SQLite file, every save a compare-and-set on a random version."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from firebreak.adapters.storage.json_bodies import listed_document, read_document, text_of
from firebreak.core.errors import Transient
from firebreak.ledger.documents import Conflict, Document, Documents, Exists, Index, Save

# What leads from each version of the file to the next; a new file goes through all of them.
_STEPS = (
    (
        """CREATE TABLE IF NOT EXISTS documents (
            kind TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, saved INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (kind, key)
        ) WITHOUT ROWID""",
        "CREATE INDEX IF NOT EXISTS documents_by_saved ON documents (kind, saved DESC)",
        # What was saved before there were these columns is due at once: the sweep looks at it, and indexes it anew.
        "ALTER TABLE documents ADD COLUMN due_ns INTEGER DEFAULT 0",
        "ALTER TABLE documents ADD COLUMN subject TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE documents ADD COLUMN expires_ns INTEGER",
        "CREATE INDEX documents_by_due ON documents (kind, due_ns) WHERE due_ns IS NOT NULL",
        "CREATE INDEX documents_by_subject ON documents (kind, subject, saved DESC) WHERE subject <> ''",
        "CREATE INDEX documents_by_expiry ON documents (expires_ns) WHERE expires_ns IS NOT NULL",
    ),
)
# `saved` is a number above every one given to the kind so far: the order of saves, whatever the clock says.
_CREATE = """INSERT INTO documents (kind, key, version, saved, body, due_ns, subject, expires_ns) VALUES
    (:kind, :key, :version, (SELECT COALESCE(MAX(saved), 0) + 1 FROM documents WHERE kind = :kind), :body, :due_ns,
    :subject, :expires_ns)"""
_PUT = _CREATE.replace("INSERT", "INSERT OR REPLACE", 1)
# A file of an earlier version, which is only read, ends with the body.
_READ = "SELECT * FROM documents WHERE kind = :kind AND key = :key"
_REPLACE = """UPDATE documents SET version = :version, body = :body, due_ns = :due_ns, subject = :subject,
    expires_ns = :expires_ns, saved = (SELECT COALESCE(MAX(saved), 0) + 1 FROM documents WHERE kind = :kind)
    WHERE kind = :kind AND key = :key AND version = :read"""
_NEWEST = "SELECT key FROM documents WHERE kind = :kind ORDER BY saved DESC LIMIT :limit"
_AFTER = "SELECT key FROM documents WHERE kind = :kind AND key > :after ORDER BY key LIMIT :limit"
_COUNT = "SELECT COUNT(*) FROM documents WHERE kind = :kind"
_DUE = "SELECT key FROM documents WHERE kind = :kind AND due_ns <= :before_ns ORDER BY due_ns LIMIT :limit"
_ABOUT = """SELECT key FROM documents WHERE kind = :kind AND subject = :subject AND subject <> ''
    ORDER BY saved DESC LIMIT :limit"""
_FORGET = """DELETE FROM documents WHERE (kind, key) IN
    (SELECT kind, key FROM documents WHERE expires_ns <= :now_ns ORDER BY expires_ns LIMIT :limit)"""


_SYNCHRONOUS = "FULL"
"""When a commit has returned, it outlives a loss of power."""
_VERSION_BYTES = 16
_COPY_SECONDS = 1.0
"""How long a copy is looked at: whoever follows what somebody else writes would wait for it for ever."""
_OPENING = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


def _new_version() -> str:
    return os.urandom(_VERSION_BYTES).hex()


class SqliteDocuments(Documents):
    """Documents in one file. Safe between threads and processes; a connection for each thread, made when first used."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Remember the path; nothing is opened before the first use. With `read_only` no write gets through."""
        self._path = path
        self._read_only = read_only
        self._local = threading.local()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection, until = getattr(self._local, "opened", (None, 0.0))
            if connection is None or time.monotonic() >= until:
                connection, until = self._local.opened = self._open()
            yield connection
        except (sqlite3.Error, OSError) as fault:
            message = f"the ledger {self._path} cannot be used: {fault}"
            raise Transient(message) from None

    def _open(self) -> tuple[sqlite3.Connection, float]:
        """To write, where that is asked for and can be; else to read, and then no write gets through.

        With it, until when it shows how things are, in seconds of the monotonic clock: a copy only for a moment.
        """
        if not self._read_only:
            try:
                return self._opened_to_write(), math.inf
            except sqlite3.OperationalError as fault:
                if not (_closed(fault) and self._path.is_file()):
                    raise
        return self._opened_to_read()

    def _opened_to_write(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")  # a damaged body is told as such
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={_SYNCHRONOUS}")
        if _file_version(connection) != len(_STEPS):
            self._migrate(connection)
        return connection

    def _opened_to_read(self) -> tuple[sqlite3.Connection, float]:
        """A file of an earlier version is read as far as it goes: bringing it to this one would be a write."""
        until = math.inf
        connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            version = _file_version(connection)
        except sqlite3.OperationalError as fault:
            if not _closed(fault):
                raise
            connection.close()
            connection, until = self._copy(), time.monotonic() + _COPY_SECONDS
            version = _file_version(connection)
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        if version > len(_STEPS):
            message = f"the ledger {self._path} was written by a newer Firebreak; use that one to look at it"
            raise Transient(message)
        return connection, until

    def _copy(self) -> sqlite3.Connection:
        """The ledger as it is now, in memory: a write-ahead log cannot be read in a folder that is not writable.

        Reading the file alone would leave out what stands in its log. Who may write does not need this, so that the
        file is not changed meanwhile but by somebody whose log cannot be read from here.
        """
        memory = sqlite3.connect(":memory:", isolation_level=None)
        with tempfile.TemporaryDirectory(prefix="firebreak-") as folder:
            copied = Path(folder) / self._path.name
            for ending in ("", "-wal"):
                if (part := Path(f"{self._path}{ending}")).exists():
                    shutil.copyfile(part, f"{copied}{ending}")
            with closing(sqlite3.connect(copied)) as whole:
                whole.backup(memory)
        memory.execute("PRAGMA query_only = ON")
        return memory

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring the file to this version, once, whoever else opens it meanwhile."""
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            found = _file_version(connection)
            if found > len(_STEPS):
                message = f"the ledger {self._path} was written by a newer Firebreak and was left alone; use that one"
                raise Transient(message)
            for step in _STEPS[found:]:
                for statement in step:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(_STEPS)}")

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        """Save all of them in one transaction, or none; raises Exists, Conflict or TooLarge."""
        saved = [Document(one.kind, one.key, _new_version(), one.body, one.index) for one in writes]
        rows = [_row(document, one.index) for document, one in zip(saved, writes, strict=True)]
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                for one, row in zip(writes, rows, strict=True):
                    _save(connection, one, row)
        return saved

    def read(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        return self._found(kind, key, read_document)

    def _found(self, kind: str, key: str, made: Callable[[str, str, str, object, Index], Document]) -> Document | None:
        with self._connection() as connection, closing(connection.cursor()) as cursor:
            row = cursor.execute(_READ, {"kind": kind, "key": key}).fetchone()
        return made(kind, key, row[2], row[4], Index(*row[5:])) if row else None

    def newest(self, kind: str, limit: int) -> Iterator[Document]:
        """The documents of a kind, last saved first."""
        return self._listed(_NEWEST, kind=kind, limit=limit)

    def after(self, kind: str, key: str, limit: int) -> Iterator[Document]:
        """The documents of a kind by their keys, those behind this one."""
        return self._listed(_AFTER, kind=kind, after=key, limit=limit)

    def due(self, kind: str, before_ns: int, limit: int) -> Iterator[Document]:
        """The documents due at that time or before, the longest due first."""
        return self._listed(_DUE, kind=kind, before_ns=before_ns, limit=limit)

    def about(self, kind: str, subject: str, limit: int) -> Iterator[Document]:
        """The documents with that subject, last saved first; of the empty subject, none."""
        return self._listed(_ABOUT, kind=kind, subject=subject, limit=limit)

    def _listed(self, query: str, kind: str, **parameters: object) -> Iterator[Document]:
        """The keys at once, out of the index alone; each body only when it is its turn."""
        with self._connection() as connection, closing(connection.cursor()) as cursor:
            keys = [key for (key,) in cursor.execute(query, {"kind": kind, **parameters})]
        for key in keys:
            if document := self._found(kind, key, listed_document):
                yield document

    def count(self, kind: str) -> int:
        """How many documents there are of a kind, out of the index alone."""
        with self._connection() as connection, closing(connection.cursor()) as cursor:
            return int(cursor.execute(_COUNT, {"kind": kind}).fetchone()[0])

    def forget(self, now_ns: int, limit: int) -> int:
        """Delete so many of what has expired, of every kind; how many it was."""
        with self._connection() as connection:
            return connection.execute(_FORGET, {"now_ns": now_ns, "limit": limit}).rowcount


def _closed(fault: sqlite3.OperationalError) -> bool:
    """Whether the file, or the folder that its log would be made in, can only be read."""
    return fault.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log; SQLite refuses at once, and does not wait, while others are opening it."""
    for pause in _OPENING:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(pause)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _file_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _save(connection: sqlite3.Connection, write: Save, row: Mapping[str, object]) -> None:
    """One write of a transaction; raises Exists or Conflict."""
    if write.over is not None:
        if connection.execute(_REPLACE, {**row, "read": write.over.version}).rowcount != 1:
            raise Conflict(write.kind, write.key)
        return
    try:
        connection.execute(_PUT if write.whatever else _CREATE, row)
    except sqlite3.IntegrityError:
        raise Exists(write.kind, write.key) from None


def _row(document: Document, index: Index) -> dict[str, object]:
    return {
        "kind": document.kind,
        "key": document.key,
        "version": document.version,
        "body": text_of(document.kind, document.key, document.body),
        "due_ns": index.due_ns,
        "subject": index.subject,
        "expires_ns": index.expires_ns,
    }
