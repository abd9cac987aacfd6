"""From files to counts: each piece read and decided by itself, on every core where there are many, then in order."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing.pool import AsyncResult
from pathlib import Path

from firebreak import VERSION
from firebreak.backtest.deciding import Rules
from firebreak.backtest.files import Far, Piece, pieces_of
from firebreak.backtest.past import past_in
from firebreak.backtest.replay import replay
from firebreak.backtest.row import Row, row_of
from firebreak.backtest.tally import Changes, Tally
from firebreak.backtest.timeline import Timeline
from firebreak.core.code_location import kind_and_place
from firebreak.core.errors import Malformed

BATCH = 200
_FEW = 4 * BATCH
"""So few pieces are read before a second process is worth its start."""
_PAGES = ("listFindingsResults", "list_findings_results", "receivedMessages")
_FARTHEST_NS = 2**63 - 1
"""The year 2262, beyond which no timeline is kept."""
Step = Callable[[int], object]


@dataclass(slots=True)
class Unread:
    """What could not be read: how many pieces, and of the first few where and why."""

    count: int = 0
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it. `duplicates` are findings that were given more than once."""

    tally: Tally
    changes: Changes
    unread: Unread
    duplicates: int


def run(
    files: Sequence[str],
    sets: tuple[Rules, ...],
    step: Step,
    processes: int | None = None,
    *,
    far: Far | None = None,
    state: str = "",
) -> Backtest:
    """Replay the files; raises OSError where one cannot be read, NotOwn. `step` is told how many findings came.

    `far` is told how far they were read. `state` is a file from which an interrupted run of the very same goes on.
    """
    timeline = Timeline(state, _about(files, sets) if state else "")
    pieces = islice(pieces_of(files, far), timeline.pieces, None)
    for rows, bad, count in _decided(pieces, sets, processes or os.cpu_count() or 1):
        timeline.add(rows, bad, count)
        step(len(rows))
    tally, changes = replay(timeline, tuple(one.policies for one in sets))
    unread = Unread(timeline.bad, timeline.told)
    return Backtest(tally, changes, unread, timeline.given - tally.findings)


def _about(files: Sequence[str], sets: tuple[Rules, ...]) -> str:
    """What must be the same for a run to go on: the files as they are, what decides, and what was supposed or asked."""
    found = [(str(Path(one).resolve()), *_stamp(Path(one))) for one in files]
    rules = [
        (one.policies.digest, repr(one.assumed), sorted(one.reports.known) if one.reports else None) for one in sets
    ]
    return hashlib.sha256(repr((VERSION, found, rules)).encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


_Batch = tuple[list[Row], list[str], int]


def _decided(pieces: Iterator[Piece], sets: tuple[Rules, ...], processes: int) -> Iterator[_Batch]:
    first = list(islice(pieces, _FEW))
    if processes == 1 or len(first) < _FEW:
        yield from (decide_batch(one, sets) for one in _batches(chain(first, pieces)))
        return
    # Forked: policies are read once, and nothing is connected to anything yet.
    with multiprocessing.get_context("fork").Pool(processes, _begin, (sets,)) as pool:
        waiting: deque[AsyncResult[_Batch]] = deque()
        for batch in _batches(chain(first, pieces)):
            waiting.append(pool.apply_async(_decide, (batch,)))
            if len(waiting) > 2 * processes:  # so that reading is never far ahead, and memory stays the same
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()


def _batches(pieces: Iterator[Piece]) -> Iterator[tuple[Piece, ...]]:
    return iter(lambda: tuple(islice(pieces, BATCH)), ())


_sets: tuple[Rules, ...] = ()


def _begin(sets: tuple[Rules, ...]) -> None:
    """In a process of its own: what decides."""
    global _sets  # noqa: PLW0603 - a pool gives its workers no other place
    _sets = sets


def _decide(batch: tuple[Piece, ...]) -> _Batch:
    return decide_batch(batch, _sets)


def decide_batch(batch: Sequence[Piece], sets: tuple[Rules, ...]) -> _Batch:
    """The rows of these pieces, and a sentence for each that cannot be read."""
    rows, bad = list[Row](), list[str]()
    for piece in batch:
        try:
            parts = list(parts_in(value_of(piece)))
        except Malformed as fault:
            bad.append(f"{piece.file}:{piece.line}: {fault}")
            continue
        for part in parts:
            try:
                rows += rows_of(part, sets)
            except Malformed as fault:
                bad.append(f"{piece.file}:{piece.line}: {fault}")
            except Exception as fault:  # noqa: BLE001 - whatever one of many holds, the others are decided
                bad.append(f"{piece.file}:{piece.line}: a fault in Firebreak itself: {kind_and_place(fault)}")
    return rows, bad, len(batch)


def value_of(piece: Piece) -> object:
    """The piece's JSON; raises Malformed."""
    if piece.fault:
        raise Malformed(piece.fault)
    try:
        return json.loads(piece.text)
    except (ValueError, RecursionError):
        message = "this is not JSON text"
        raise Malformed(message) from None


def parts_in(value: object) -> Iterator[object]:
    """What a list or a page of answers has, one by one: one that cannot be read hides no other."""
    page = value if isinstance(value, dict) and "finding" not in value else {}
    inside = next((page[key] for key in _PAGES if isinstance(page.get(key), list)), value)
    if not isinstance(inside, list):
        yield value
        return
    for one in inside:
        yield from (one,) if isinstance(one, list) else parts_in(one)


def rows_of(value: object, sets: tuple[Rules, ...]) -> list[Row]:
    """Every finding in it, decided; raises Malformed."""
    rows = [row_of(one, sets) for one in past_in(value)]
    if any(abs(at) > _FARTHEST_NS for one in rows for at in (one.at_ns, one.updated_ns)):
        message = "it is of a time at which nothing can have happened"
        raise Malformed(message)
    return rows
