"""A store to which nothing is written: what was written here counts here, and beneath stays what was there."""

from __future__ import annotations

from pathlib import Path

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.ledger.documents import Conflict, Exists, Save
from firebreak.response.explain.unwritten import Unwritten


def test_several_are_kept_here_together_or_none_of_them_and_beneath_stays_what_was(tmp_path: Path) -> None:
    """As in any store; what is read back can be saved over."""
    beneath = SqliteDocuments(tmp_path / "ledger.sqlite")
    known = beneath.create("incident", "a", {"n": 1})
    over = Unwritten(beneath)
    first = over.commit([Save("incident", "a", {"n": 2}, over=known), Save("standing", "c", {"n": 2})])
    for write, kind in (
        (Save("incident", "a", {"n": 3}, over=known), Conflict),
        (Save("incident", "a", {"n": 3}), Exists),
        (Save("incident", "none", {"n": 3}, over=known), Conflict),
    ):
        with pytest.raises(kind) as told:
            over.commit([Save("incident", "b", {}), write])

        assert (told.value.kind, told.value.key) == ("incident", write.key)
    second = over.replace(first[0], {"n": 4})

    assert [over.read("incident", "a"), over.read("standing", "c"), over.read("incident", "b")] == [
        second,
        first[1],
        None,
    ]
    assert beneath.read("incident", "a") == known


def test_what_is_written_here_is_counted_with_what_was_there_and_only_once(tmp_path: Path) -> None:
    """A document of the store beneath that was written over is no second one."""
    beneath = SqliteDocuments(tmp_path / "ledger.sqlite")
    known = beneath.create("incident", "a", {})
    over, alone = Unwritten(beneath), Unwritten(None)
    over.replace(known, {"again": True})
    for documents in (over, alone):
        documents.create("incident", "b", {})
        documents.create("standing", "c", {})

    assert (over.count("incident"), alone.count("incident"), beneath.count("incident")) == (2, 1, 1)
