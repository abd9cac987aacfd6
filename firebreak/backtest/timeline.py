"""Rows in the order of their time, kept on disk: memory stays the same however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from firebreak.backtest.row import Row, row_from

_TABLE = """
CREATE TABLE rows (
    id TEXT PRIMARY KEY, at_ns INTEGER, finding TEXT, recorded INTEGER, updated_ns INTEGER, text TEXT
) WITHOUT ROWID
"""
_KEEP = """
INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET at_ns = excluded.at_ns, recorded = excluded.recorded,
    updated_ns = excluded.updated_ns, text = excluded.text
WHERE (excluded.recorded, excluded.updated_ns) > (rows.recorded, rows.updated_ns)
"""
_IN_ORDER = """
SELECT text FROM rows WHERE recorded OR finding NOT IN (SELECT finding FROM rows WHERE recorded) ORDER BY at_ns, id
"""


class Timeline:
    """Each event once: a recorded incident goes before what SCC tells of the finding, and its newest record wins."""

    def __init__(self) -> None:
        """A database without a name, which SQLite keeps in a file of its own and deletes."""
        self._store = sqlite3.connect("")
        self._store.execute(_TABLE)
        self.given = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Keep them."""
        values = [(one.id, one.at_ns, one.finding, int(bool(one.incident)), one.updated_ns, one.text) for one in rows]
        self.given += len(values)
        self._store.executemany(_KEEP, values)

    def __iter__(self) -> Iterator[Row]:
        """All of them, the earliest first."""
        for (text,) in self._store.execute(_IN_ORDER):
            yield row_from(text)
