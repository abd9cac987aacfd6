"""Rows in the order of their time, kept and sorted on disk: memory stays the same however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from firebreak.backtest.row import Row, row_from

_TABLE = "CREATE TABLE rows (id TEXT, at_ns INTEGER, finding TEXT, recorded INTEGER, updated_ns INTEGER, text TEXT)"
_IN_ORDER = """
SELECT id, text FROM rows
WHERE recorded OR finding NOT IN (SELECT finding FROM rows WHERE recorded)
ORDER BY at_ns, id, recorded DESC, updated_ns DESC
"""


class Timeline:
    """Each event once: a recorded incident goes before what SCC tells of the finding, and its newest record wins."""

    def __init__(self) -> None:
        """A database without a name, which SQLite keeps in a file of its own and deletes."""
        self._store = sqlite3.connect("")
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute(_TABLE)
        self.given = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Keep them."""
        values = [(one.id, one.at_ns, one.finding, bool(one.incident), one.updated_ns, one.text) for one in rows]
        self.given += len(values)
        self._store.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", values)

    def __iter__(self) -> Iterator[Row]:
        """All of them, the earliest first."""
        last = None
        for event, text in self._store.execute(_IN_ORDER):
            if event != last:
                yield row_from(text)
            last = event
