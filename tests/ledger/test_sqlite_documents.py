"""What the embedded ledger keeps beyond the contract: it stays fast, forgets by itself, and reads its older files."""

from __future__ import annotations

import gc
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.errors import Transient
from firebreak.ledger.documents import Index
from tests.ledger.closed import closed, opened

FIRST_FILE = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, saved INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_saved ON documents (kind, saved DESC);
INSERT INTO documents VALUES ('incident', 'a', 'v1', 1, '{"n": 1}'), ('incident', 'b', 'v2', 2, '{"n": 2}');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that is sent to SQLite, its values filled in."""
    statements: list[str] = []
    connect: Any = sqlite3.connect

    def traced(*arguments: object, **named: object) -> Any:
        connection = connect(*arguments, **named)
        connection.set_trace_callback(statements.append)
        return connection

    with monkeypatch.context() as patch:
        patch.setattr("sqlite3.connect", traced)
        yield statements


def first_file(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(FIRST_FILE)
    connection.close()


def test_every_operation_is_an_index_look_up(path: Path, asked: list[str]) -> None:
    """No operation walks the table or sorts, so that none grows with it."""
    documents = SqliteDocuments(path)
    document = documents.create("incident", "a", {}, Index(1, "x", 1))
    documents.read("incident", "a")
    documents.replace(document, {}, Index(1, "x", 1))
    lists = (
        documents.newest("incident", 5),
        documents.after("incident", "", 5),
        documents.due("incident", 5, 5),
        documents.about("incident", "x", 5),
    )
    keys = [one.key for found in lists for one in found]
    documents.count("incident")
    documents.forget(5, 5)
    operations = [one for one in asked if one.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
    connection = sqlite3.connect(path)
    plans = {one: [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")] for one in operations}
    connection.close()
    slow = {
        one: plan
        for one, plan in plans.items()
        if any(word in step for step in plan for word in ("SCAN documents", "TEMP B-TREE", "AUTOMATIC"))
    }

    assert keys == ["a", "a", "a", "a"]
    assert {one.split()[0] for one in operations} == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert all(any("USING" in step for step in plan) for plan in plans.values())
    assert slow == {}


def test_what_has_expired_is_forgotten_a_bounded_part_at_a_time(path: Path) -> None:
    """The longest expired first, of every kind; what never expires stays."""
    documents = SqliteDocuments(path)
    for number in range(5):
        documents.create("slots" if number % 2 else "incident", str(number), {}, Index(expires_ns=number))
    documents.create("incident", "for ever", {}, Index(due_ns=0, subject="x"))
    first, second = documents.forget(3, 3), documents.forget(3, 3)

    assert (first, second) == (3, 1)
    assert [one.key for one in documents.newest("incident", 9)] == ["for ever", "4"]
    assert list(documents.newest("slots", 9)) == []


def test_an_older_file_is_read_on_and_all_in_it_is_due_once(path: Path) -> None:
    """Nothing is lost, nothing escapes the sweep, and the next save indexes it."""
    first_file(path)
    documents = SqliteDocuments(path)
    newest = list(documents.newest("incident", 5))
    due = list(documents.due("incident", 0, 5))
    documents.replace(newest[0], {"n": 3})

    assert [(one.key, one.body) for one in newest] == [("b", {"n": 2}), ("a", {"n": 1})]
    assert [one.key for one in due] == ["a", "b"]
    assert [one.key for one in documents.due("incident", 0, 5)] == ["a"]
    assert documents.forget(1 << 62, 5) == 0


def test_an_older_file_that_many_open_at_once_is_brought_up_once(path: Path) -> None:
    """Whoever comes second finds it done."""
    first_file(path)
    start, found = threading.Barrier(8), []

    def read() -> None:
        start.wait()
        document = SqliteDocuments(path).read("incident", "a")
        found.append(document and document.version)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["v1"] * 8


def test_a_newer_file_is_left_alone(path: Path) -> None:
    """A Firebreak that was rolled back does not write into what it does not know."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Transient, match="newer Firebreak"):
        SqliteDocuments(path).create("incident", "a", {})


def test_an_older_file_is_looked_at_as_it_is(path: Path) -> None:
    """Who only reads brings nothing up."""
    first_file(path)
    before = path.read_bytes()
    documents = SqliteDocuments(path, read_only=True)

    assert [one.body for one in documents.newest("incident", 5)] == [{"n": 2}, {"n": 1}]
    assert documents.count("incident") == 2
    assert path.read_bytes() == before


def test_a_newer_file_is_not_looked_at_either(path: Path) -> None:
    """Nor is what it holds guessed."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Transient, match="newer Firebreak"):
        SqliteDocuments(path, read_only=True).read("incident", "a")


def test_a_ledger_is_read_where_nothing_can_be_written() -> None:
    """On a file system that is mounted for reading, or in the folder of somebody else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        SqliteDocuments(path).create("incident", "a", {"n": 1})
        gc.collect()  # which closes the file, as the end of a process does
        with unwritable(path):
            found = SqliteDocuments(path, read_only=True).read("incident", "a")
        left = [one.name for one in path.parent.iterdir()]

    assert found is not None
    assert found.body == {"n": 1}
    assert left == ["ledger.sqlite"]


@contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """A file and its folder that this process may only read, also where the tests run as root."""
    own = os.geteuid()
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        if own == 0:
            os.seteuid(65534)
        with pytest.raises(PermissionError):
            path.with_name("other").touch()
        yield
    finally:
        os.seteuid(own)
        path.parent.chmod(0o700)


@pytest.mark.parametrize("text", ["[1", "[1]", "", "\udcff"])
def test_a_damaged_record_is_transient_and_hides_no_other(path: Path, text: str) -> None:
    """It is not taken for an empty one, and a list goes on."""
    documents = SqliteDocuments(path)
    documents.create("incident", "b", {"n": 1})
    documents.create("incident", "a", {})
    connection = sqlite3.connect(path)
    stored = text.encode("utf-8", "surrogateescape")
    connection.execute("UPDATE documents SET body = CAST(? AS TEXT) WHERE key = 'a'", (stored,))
    connection.commit()
    connection.close()
    with pytest.raises(Transient, match="incident a is damaged"):
        documents.read("incident", "a")

    assert [one.body for one in documents.newest("incident", 5)] == [{}, {"n": 1}]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_ledger_in_a_folder_that_is_not_writable_is_read_whole_and_not_written(
    path: Path, *, read_only: bool
) -> None:
    """Also what stands in its log alone, as a process that died left it, or a copy on a disk that only reads."""
    documents = SqliteDocuments(path)
    first = documents.create("incident", "a", {"n": 1})
    documents.replace(first, {"n": 2})  # still open, so that the log is not merged into the file
    assert path.with_name("ledger.sqlite-wal").stat().st_size > 0

    with closed(path.parent) as folder:
        reader = SqliteDocuments(folder / path.name, read_only=read_only)

        assert [one.body for one in reader.newest("incident", 5)] == [{"n": 2}]
        with pytest.raises(Transient, match=r"ledger\.sqlite cannot be used"):
            reader.create("incident", "b", {})
        assert [one.key for one in reader.newest("incident", 5)] == ["a"]


def test_a_ledger_that_cannot_be_opened_at_all_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with closed(tmp_path / "empty") as folder, pytest.raises(Transient, match="cannot be used"):
        SqliteDocuments(folder / "ledger.sqlite").read("incident", "a")


def test_what_somebody_else_writes_to_a_ledger_that_can_only_be_read_comes_to_be_seen(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever follows an answer there would wait for ever on a copy of the time before."""
    monkeypatch.setattr("firebreak.adapters.storage.sqlite._COPY_SECONDS", 0.0)
    documents = SqliteDocuments(path)
    documents.create("incident", "a", {})
    with closed(path.parent) as folder:
        reader = SqliteDocuments(folder / path.name, read_only=True)
        before = reader.read("incident", "b")
        with opened(folder):
            documents.create("incident", "b", {})
            for part in (path, path.with_name(f"{path.name}-wal")):
                (folder / part.name).write_bytes(part.read_bytes())
        after = reader.read("incident", "b")

    assert before is None
    assert after is not None
