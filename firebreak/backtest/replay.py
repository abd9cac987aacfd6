"""Every finding in the order of time, decided by each set of policies beside all others, and counted."""

from __future__ import annotations

from collections.abc import Iterable

from firebreak.backtest.row import Decided, Row
from firebreak.backtest.tally import Changes, Tally
from firebreak.backtest.through_time import ThroughTime
from firebreak.core.policy.policy import PolicySet

_NEVER = 1 << 62


def replay(rows: Iterable[tuple[Row, int | None]], sets: tuple[PolicySet, ...]) -> tuple[Tally, Changes]:
    """The first set's counts, and what a second one would decide otherwise.

    Rows come with the time at which something is done about them, the earliest first; None where a halt is not lifted.
    """
    tallies, changes = [Tally() for _ in sets], Changes()
    ways = [ThroughTime(*pair) for pair in zip(sets, tallies, strict=True)]
    for row, acts_ns in rows:
        ends = []
        for way, tally, decided in zip(ways, tallies, row.sets, strict=True):
            if acts_ns != row.at_ns:
                tally.went["waited for a halt"] += 1
            end = _halted(decided) if acts_ns is None else way.take(row, decided, acts_ns)
            tally.count(row, end)
            ends.append(end)
        if len(ends) > 1 and ends[0].outcome != ends[1].outcome:
            changes.note(row, ends[0], ends[1])
    for way in ways:
        way.pass_time(_NEVER)
    return tallies[0], changes


def _halted(decided: Decided) -> Decided:
    """What a halt that nobody lifted leaves of it."""
    if decided.mode in ("", "monitor"):
        return decided
    return decided._replace(mode="monitor", move="wait", caps=(*decided.caps, "halt"))
