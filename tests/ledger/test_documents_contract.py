"""What every document store must keep, whichever is configured."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.sqlite import SqliteDocuments
from core.errors import Transient
from ledger import Conflict, Documents, Exists

Store = Callable[[], Documents]


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Opens the same store again and again, as separate processes would."""
    assert request.param == "sqlite"
    return lambda: SqliteDocuments(tmp_path / "state" / "ledger.sqlite")


def test_what_is_created_is_read_by_everybody(store: Store) -> None:
    """Through another connection too."""
    store().create("incident", "a", {"n": 1})
    found = store().read("incident", "a")

    assert found is not None
    assert found.body == {"n": 1}


def test_what_is_not_there_is_none(store: Store) -> None:
    """Not an error."""
    assert store().read("incident", "a") is None


def test_a_key_is_created_once(store: Store) -> None:
    """The second creation is told so, and changes nothing."""
    store().create("incident", "a", {"n": 1})
    with pytest.raises(Exists):
        store().create("incident", "a", {"n": 2})
    found = store().read("incident", "a")

    assert found is not None
    assert found.body == {"n": 1}


def test_a_save_over_an_older_version_is_a_conflict(store: Store) -> None:
    """Nobody overwrites what they have not read."""
    first = store().create("incident", "a", {"n": 1})
    store().replace(first, {"n": 2})
    with pytest.raises(Conflict):
        store().replace(first, {"n": 3})
    found = store().read("incident", "a")

    assert found is not None
    assert found.body == {"n": 2}


def test_of_sixteen_racers_one_creates(store: Store) -> None:
    """One winner, fifteen are told."""
    won: list[int] = []
    start = threading.Barrier(16)

    def race(number: int) -> None:
        start.wait()
        try:
            store().create("incident", "a", {"n": number})
        except Exists:
            return
        won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1


def test_concurrent_counting_loses_nothing(store: Store) -> None:
    """Read, add one, replace, again on conflict: every increment counts."""
    store().create("slots", "a", {"n": 0})

    def count() -> None:
        mine = store()
        for _ in range(5):
            while True:
                found = mine.read("slots", "a")
                assert found is not None
                try:
                    mine.replace(found, {"n": found.body["n"] + 1})
                except Conflict:
                    continue
                break

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store().read("slots", "a")

    assert found is not None
    assert found.body == {"n": 40}


def test_the_last_saved_is_listed_first_and_kinds_are_apart(store: Store) -> None:
    """In the order of saves, bounded."""
    documents = store()
    first = documents.create("incident", "a", {})
    documents.create("incident", "b", {})
    documents.create("standing", "c", {})
    documents.replace(first, {"again": True})

    assert [one.key for one in documents.newest("incident", 10)] == ["a", "b"]
    assert [one.key for one in documents.newest("incident", 1)] == ["a"]


def test_a_store_that_cannot_be_opened_is_transient(tmp_path: Path) -> None:
    """The message comes back; nothing is taken for empty."""
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database, however long it is looked at" * 100)
    with pytest.raises(Transient):
        SqliteDocuments(tmp_path / "ledger.sqlite").read("incident", "a")
