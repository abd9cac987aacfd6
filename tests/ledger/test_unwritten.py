"""A store to which nothing is written: what was written here counts here, and beneath stays what was there."""

from __future__ import annotations

from pathlib import Path

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.response.explain.unwritten import Unwritten


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
