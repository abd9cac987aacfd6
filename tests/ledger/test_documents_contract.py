"""What every document store must keep, whichever is configured."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.errors import Transient
from firebreak.ledger.documents import Conflict, Exists, Index, Save, TooLarge
from tests.ledger.stores import Store

SERVICE = "projects/shop-prod/locations/europe-west1/services/checkout"
ODD_KEYS = [
    SERVICE,
    "/",
    "//",
    ".",
    "..",
    "...",
    "__all__",
    "__",
    "%",
    "%2F",
    "a b",
    "a\0b",
    "a\nb",
    "=",
    "~",
    "'\"`",
    "\u202e",
]
ODD_KEYS += ["x" * 300, "y" * 299 + "/", "\U0001f525" * 300, "\U0001f525" * 299, "\u00e9", "e\u0301", "E", "e"]


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


def test_the_documents_of_a_kind_are_counted_and_no_other(store: Store) -> None:
    """Each once, however often it was saved, whatever else is kept."""
    documents = store()
    first = documents.create("incident", "a", {}, Index(due_ns=1, subject="x"))
    documents.create("incident", "b", {})
    documents.create("standing", "c", {})
    documents.replace(first, {"again": True})

    assert [store().count(kind) for kind in ("incident", "standing", "none")] == [2, 1, 0]


def test_any_text_is_a_key_and_a_subject(store: Store) -> None:
    """Slashes, reserved words, what others are encoded to, any script and length: each is found, and no other."""
    documents = store()
    for key in ODD_KEYS:
        documents.create("incident", key, {"key": key}, Index(subject=key))
    found = [documents.read("incident", key) for key in ODD_KEYS]
    about = [[one.key for one in documents.about("incident", key, 5)] for key in ODD_KEYS]

    assert [one.body["key"] if one else None for one in found] == ODD_KEYS
    assert about == [[key] for key in ODD_KEYS]
    assert {one.key for one in documents.newest("incident", 99)} == set(ODD_KEYS)
    assert documents.read("incident", "projects/shop") is None


def test_every_document_of_a_kind_is_met_once_however_often_any_is_saved_meanwhile(store: Store) -> None:
    """Each page begins behind the last key of the one before, whatever the keys are."""
    documents, met = store(), list[str]()
    for key in ODD_KEYS:
        documents.create("incident", key, {})
    documents.create("standing", "other", {})
    while page := list(documents.after("incident", met[-1] if met else "", 5)):
        met += [one.key for one in page]
        for one in page[::2]:
            documents.replace(one, {"again": True})

    assert sorted(met) == sorted(ODD_KEYS)
    assert len(list(documents.after("incident", "", 99))) == len(ODD_KEYS)


def test_what_is_due_is_found_the_longest_due_first(store: Store) -> None:
    """At that time or before; what is never due is not found, nor another kind."""
    documents = store()
    for key, due_ns in (("c", 30), ("a", 10), ("never", None), ("d", 40), ("b", 20)):
        documents.create("incident", key, {"key": key}, Index(due_ns=due_ns))
    documents.create("standing", "other", {}, Index(due_ns=10))
    found = list(documents.due("incident", 30, 10))

    assert [one.key for one in found] == ["a", "b", "c"]
    assert found[0].body == {"key": "a"}
    assert [one.key for one in documents.due("incident", 30, 2)] == ["a", "b"]
    assert list(documents.due("incident", 9, 10)) == []


def test_what_is_about_a_subject_is_found_last_saved_first(store: Store) -> None:
    """That subject exactly, of that kind; of no subject, nothing."""
    documents = store()
    first = documents.create("incident", "a", {}, Index(subject=SERVICE))
    documents.create("incident", "b", {}, Index(subject=SERVICE))
    documents.create("incident", "c", {}, Index(subject=f"{SERVICE}2"))
    documents.create("incident", "d", {})
    documents.create("standing", "e", {}, Index(subject=SERVICE))
    documents.replace(first, {}, Index(subject=SERVICE))

    assert [one.key for one in documents.about("incident", SERVICE, 10)] == ["a", "b"]
    assert [one.key for one in documents.about("incident", SERVICE, 1)] == ["a"]
    assert list(documents.about("incident", "", 10)) == []


def test_a_save_indexes_anew(store: Store) -> None:
    """What the save does not give is cleared."""
    documents = store()
    first = documents.create("incident", "a", {}, Index(due_ns=10, subject="one"))
    second = documents.replace(first, {}, Index(due_ns=20, subject="two"))
    moved = [list(documents.due("incident", 10, 5)), list(documents.about("incident", "one", 5))]
    found = [*documents.due("incident", 20, 5), *documents.about("incident", "two", 5)]
    documents.replace(second, {})

    assert moved == [[], []]
    assert [one.key for one in found] == ["a", "a"]
    assert [*documents.due("incident", 20, 5), *documents.about("incident", "two", 5)] == []


def test_a_list_may_be_saved_while_it_is_read(store: Store) -> None:
    """A sweep saves what it looks at, and meets each once."""
    documents = store()
    for number in range(5):
        documents.create("incident", str(number), {}, Index(due_ns=number))
    seen = []
    for one in documents.due("incident", 10, 100):
        seen.append(one.key)
        documents.replace(one, {}, Index(due_ns=11))

    assert seen == ["0", "1", "2", "3", "4"]


def test_a_long_list_has_each_once(store: Store) -> None:
    """In order, also of what is due at one time, and no more than were asked for."""
    documents, keys = store(), [f"{number:03}" for number in range(110)]
    for number, key in enumerate(keys):
        documents.create("incident", key, {}, Index(due_ns=number // 40, subject="x"))
    newest, due, about = (
        [one.key for one in found]
        for found in (
            documents.newest("incident", 105),
            documents.due("incident", 5, 105),
            documents.about("incident", "x", 999),
        )
    )

    assert newest == keys[:4:-1]
    assert sorted(due) == keys[:105]
    assert [int(key) // 40 for key in due] == sorted(int(key) // 40 for key in due)
    assert about == keys[::-1]


def test_a_large_record_is_kept_and_one_above_every_store_is_refused(store: Store) -> None:
    """Loudly, and what stood stays."""
    documents = store()
    saved = documents.create("incident", "a", {"text": "x" * 900_000})
    with pytest.raises(TooLarge, match="1,100,0"):
        documents.replace(saved, {"text": "x" * 1_100_000})
    with pytest.raises(TooLarge):
        documents.create("incident", "b", {"text": "x" * 1_100_000})
    found = documents.read("incident", "a")

    assert found == saved
    assert documents.read("incident", "b") is None


def test_several_documents_are_saved_together(store: Store) -> None:
    """Made or replaced, of several kinds, each indexed anew; each can be saved over by what the commit gives back."""
    documents = store()
    known = documents.create("incident", "a", {"n": 1}, Index(due_ns=1))
    saved = documents.commit(
        [
            Save("incident", "a", {"n": 2}, Index(due_ns=20), known),
            Save("standing", SERVICE, {"n": 3}, Index(subject="uid")),
            Save("slots", "taken", {"n": 4}),
        ]
    )
    others = store()

    assert [(one.kind, one.key, one.body["n"]) for one in saved] == [
        ("incident", "a", 2),
        ("standing", SERVICE, 3),
        ("slots", "taken", 4),
    ]
    assert [others.read(one.kind, one.key) for one in saved] == saved
    assert [*others.due("incident", 10, 5)] == []
    assert [*others.due("incident", 20, 5)] == saved[:1]
    assert [*others.about("standing", "uid", 5)] == saved[1:2]
    assert [others.replace(one, {"n": 5}).body for one in saved] == [{"n": 5}] * 3


@pytest.mark.parametrize("place", [0, 1, 2])
def test_of_several_documents_none_is_saved_where_one_was_in_the_way_and_it_is_named(store: Store, place: int) -> None:
    """Wherever it stands among them: there already, or saved by somebody else since it was read."""
    documents = store()
    there = documents.create("standing", "c", {"n": 0})
    old = documents.create("slots", "taken", {"n": 0})
    new = documents.replace(old, {"n": 1})
    others = [Save("incident", "a", {"n": 2}), Save("standing", "c", {"n": 3}, over=there)]
    stale = Save("slots", "taken", {"n": 4}, over=old)
    double = Save("slots", "taken", {"n": 4})
    for wrong, kind in ((stale, Conflict), (double, Exists)):
        with pytest.raises(Conflict) as told:
            documents.commit([*others[:place], wrong, *others[place:]])

        assert type(told.value) is kind
        assert (told.value.kind, told.value.key) == ("slots", "taken")
    found = [documents.read(*one) for one in (("incident", "a"), ("standing", "c"), ("slots", "taken"))]

    assert found == [None, there, new]


def test_a_document_that_is_not_there_any_more_is_in_the_way_too(store: Store) -> None:
    """It was forgotten since it was read, and does not come back as half a record."""
    documents = store()
    gone = replace(documents.create("command", "a", {}), key="gone")
    with pytest.raises(Conflict) as told:
        documents.commit([Save("incident", "a", {}), Save("command", "gone", {}, over=gone)])

    assert (told.value.kind, told.value.key) == ("command", "gone")
    assert documents.read("incident", "a") is None


def test_of_several_documents_none_is_saved_where_one_is_too_large(store: Store) -> None:
    """Loudly."""
    documents = store()
    with pytest.raises(TooLarge):
        documents.commit([Save("incident", "a", {}), Save("incident", "b", {"text": "x" * 1_100_000})])

    assert list(documents.newest("incident", 5)) == []


def test_of_racers_for_the_same_documents_one_saves_all_of_them(store: Store) -> None:
    """Whatever order they name them in: nobody waits for ever, and no two halves are mixed."""
    documents = store()
    keys = ("a", "b", "c")
    read = [documents.create("incident", key, {"n": -1}) for key in keys]
    won: list[int] = []
    start = threading.Barrier(8)

    def race(number: int) -> None:
        mine = store()
        writes = [Save(one.kind, one.key, {"n": number}, over=one) for one in read]
        start.wait()
        with suppress(Conflict):
            mine.commit(writes if number % 2 else writes[::-1])
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [documents.read("incident", key) for key in keys]

    assert len(won) == 1
    assert [one.body["n"] if one else None for one in found] == won * 3


def test_a_store_that_cannot_be_opened_is_transient(tmp_path: Path) -> None:
    """The message comes back; nothing is taken for empty."""
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database, however long it is looked at" * 100)
    with pytest.raises(Transient):
        SqliteDocuments(tmp_path / "ledger.sqlite").read("incident", "a")
