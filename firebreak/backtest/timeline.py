"""Rows in the order of their time, kept and sorted on disk: memory stays the same however many there are.

While everything was halted, as records tell, nothing is done: what came then is done once the halt was lifted.
"""

from __future__ import annotations

import heapq
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from firebreak.backtest.own_file import NotOwn, require_own
from firebreak.backtest.row import Row, row_from
from firebreak.core.timestamps import NANOS

_AT_ONCE_NS = 600 * NANOS
"""A halt that an incident met so soon stood when it was taken up."""

_MOST_BAD = 20
_STATE = "CREATE TABLE backtest (about TEXT, state TEXT)"
_TABLE = "CREATE TABLE rows (id TEXT, at_ns INTEGER, finding TEXT, recorded INTEGER, updated_ns INTEGER, text TEXT)"
_IN_ORDER = """
SELECT id, at_ns, text FROM rows
WHERE recorded OR finding NOT IN (SELECT finding FROM rows WHERE recorded)
ORDER BY at_ns, id, recorded DESC, updated_ns DESC
"""


class Timeline:
    """Each event once: a recorded incident goes before what SCC tells of the finding, and its newest record wins.

    Attributes:
        given: how many findings there were.
        pieces: how many pieces of the history they came in, with those that could not be read.
        bad: how many could not be read.
        told: of the first few of those where and why.
    """

    def __init__(self, path: str = "", about: str = "") -> None:
        """Kept at `path`, where it goes on from if what lies there is about the very same; raises NotOwn.

        Without a path it is a database without a name, which SQLite keeps in a file of its own and deletes.
        """
        if path:  # readable by nobody else: findings tell where there are holes
            for beside in ("", "-journal", "-wal", "-shm"):  # SQLite takes these up, too
                require_own(Path(path + beside))
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._store, self._path, self._about = sqlite3.connect(path), path, about
        self._halts: list[tuple[int, int | None]] = []
        self.given = self.pieces = self.bad = 0
        self.told: list[str] = []
        if not (path and self._goes_on()):
            # Where the process is killed the journal brings back what was kept; only a loss of power does not.
            self._store.execute("PRAGMA journal_mode = DELETE" if path else "PRAGMA journal_mode = OFF")
            self._store.execute("PRAGMA synchronous = OFF")
            self._store.execute(_TABLE)
            self._store.execute(_STATE)

    def _goes_on(self) -> bool:
        """Take up what lies there. What is about something else is begun anew."""
        try:
            tables = {name for (name,) in self._store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                return False
            found = self._store.execute("SELECT about, state FROM backtest").fetchone()
        except sqlite3.DatabaseError:
            message = f"{self._path}: this is something else than what a backtest keeps, and is left as it is"
            raise NotOwn(message) from None
        if found is None or found[0] != self._about:
            self._store.executescript("DROP TABLE IF EXISTS rows; DROP TABLE backtest")
            return False
        self.given, self.pieces, self.bad, self.told, halts = json.loads(found[1])
        self._halts = [(begin, end) for begin, end in halts]
        return True

    def add(self, rows: Iterable[Row], bad: Sequence[str] = (), pieces: int = 0) -> None:
        """Keep them, and what could not be read of so many pieces."""
        self.pieces += pieces
        self.bad += len(bad)
        self.told += bad[: _MOST_BAD - len(self.told)]
        values = [(one.id, one.at_ns, one.finding, bool(one.incident), one.updated_ns, one.text) for one in rows]
        self.given += len(values)
        for one in rows:
            for number, (begin, end) in enumerate(one.course.halts if one.told[-1] else ()):
                soon = number == 0 and begin - one.at_ns < _AT_ONCE_NS
                self._halts = joined([*self._halts, (min(begin, one.at_ns) if soon else begin, end)])
        self._store.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", values)
        if self._about:
            state = json.dumps([self.given, self.pieces, self.bad, self.told, self._halts])
            self._store.execute("DELETE FROM backtest")
            self._store.execute("INSERT INTO backtest VALUES (?, ?)", (self._about, state))
            self._store.commit()

    def __iter__(self) -> Iterator[tuple[Row, int | None]]:
        """All of them with the time at which something is done, the earliest first; None where a halt has no end."""
        waiting: list[tuple[int, int, str]] = []
        last = None
        for number, (event, at_ns, text) in enumerate(self._store.execute(_IN_ORDER)):
            if event == last:
                continue
            last = event
            while waiting and waiting[0][0] <= at_ns:
                yield _waited(heapq.heappop(waiting))
            halt = next((one for one in self._halts if one[0] <= at_ns and (one[1] is None or at_ns < one[1])), None)
            if halt is None or halt[1] is None:
                yield row_from(text), at_ns if halt is None else None
            else:
                heapq.heappush(waiting, (halt[1], number, text))
        while waiting:
            yield _waited(heapq.heappop(waiting))


def _waited(one: tuple[int, int, str]) -> tuple[Row, int]:
    return row_from(one[2]), one[0]


def joined(spans: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """The same time in as few spans as can be, in their order; a span without an end has all that follows."""
    found: list[tuple[int, int | None]] = []
    for begin, end in sorted(spans, key=lambda one: one[0]):
        last_end = found[-1][1] if found else begin
        if found and (last_end is None or begin <= last_end):
            found[-1] = found[-1][0], None if end is None or last_end is None else max(end, last_end)
        else:
            found.append((begin, end))
    return found
