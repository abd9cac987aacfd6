"""What `make bench` measured, as it is kept in docs/performance.json: the pages and pictures are made from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[1] / "docs" / "performance.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One line: milliseconds, or what `what` says, of Firebreak and of the other function.

    Attributes:
        bar: the ratio that it is held to, at most.
        limit: what has to be waited for at least, or the framework alone.
        load: how many processes wanted a processor in the minute before, on average: 0 on an idle machine.
    """

    what: str
    ours: float
    theirs: float
    p95: float | None = None
    bar: float | None = None
    limit: float | None = None
    load: float = 0.0

    @property
    def line(self) -> str:
        """As a line of the table."""
        p95 = "" if self.p95 is None else f"{self.p95:.0f}"
        bar = "" if self.bar is None else f"{self.bar:.2f}"
        limit, ratio = ("", "") if self.limit is None else (f"{self.limit:.0f}", f"{self.ours / self.limit:.2f}")
        cells = (self.what, f"{self.ours:.0f}", p95, f"{self.theirs:.0f}", f"{self.ours / self.theirs:.2f}")
        return f"| {' | '.join((*cells, bar, limit, ratio))} |"


@dataclass(frozen=True, slots=True)
class Trip:
    """One round trip to the ledger: what was asked, by which thread and which part of the response."""

    thread: str
    method: str
    asker: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A module as `-X importtime` tells it: microseconds with all that it loads, and below how many others it is."""

    name: str
    depth: int
    microseconds: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What one contained finding asks of ledger and vault: calls, and the documents of lists and saves."""

    reads: int
    lists: int
    listed: int
    saves: int
    documents: int
    objects: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    Attributes:
        trips: what was asked of the ledger before the write of one finding.
        cold: what is loaded before an instance listens, in the order of its end, as importtime has it.
    """

    date: str
    processors: int
    python: str
    runs: int
    cold_runs: int
    rows: Sequence[Row]
    asked: Asked
    trips: Sequence[Trip] = ()
    cold: Sequence[Loaded] = ()

    def row(self, what: str) -> Row:
        """The line of that name; raises KeyError."""
        return {one.what: one for one in self.rows}[what]

    def save(self, file: Path = FILE) -> None:
        """Keep it."""
        parts = (f"{json.dumps(name)}: {_lines(value)}" for name, value in asdict(self).items())
        file.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _lines(value: object) -> str:
    """JSON with a line for each entry of a list."""
    if not isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in value) + "\n]"


def saved(file: Path = FILE) -> Figures:
    """The run that is kept."""
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    asked = Asked(**read.pop("asked"))
    trips = tuple(Trip(**one) for one in read.pop("trips"))
    rows = tuple(Row(**one) for one in read.pop("rows"))
    cold = tuple(Loaded(**one) for one in read.pop("cold"))
    return Figures(**read, rows=rows, cold=cold, trips=trips, asked=asked)
