"""Through time: what hangs on other findings, which is limits and what stands already, and all counts of the report."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from firebreak.backtest.row import Decided, Row, target_of
from firebreak.core.containment.slots import HOUR_NS, Slots, over_limit
from firebreak.core.policy.policy import Config
from firebreak.core.timestamps import NANOS

STANDS_NS = 24 * HOUR_NS
"""How long a containment is taken to stand: nobody was there to release it."""
MOST_SHOWN = 200
_DAY_NS = 24 * HOUR_NS
NOTHING = "nothing"
_WRONG = ("false_positive", "benign")


def _counters() -> dict[str, Counter[str]]:
    return defaultdict(Counter)


@dataclass(slots=True)
class Tally:
    """Everything that is counted of one set of policies.

    Attributes:
        findings: how many there were.
        first_ns: the earliest of them, nanoseconds since 1970; None where there was none.
        last_ns: the latest.
        by_mode: `enforce`, `approve`, `monitor`, `nothing` to how many.
        by_wanted: the same before guards.
        by_policy: policy to mode to how many.
        by_week: the Monday of a week to mode to how many.
        by_cap: guard to how many it holds back.
        waiting_on: source to how many hang on it.
        hanging: how many hang on any.
        recorded: how many were decided on evidence that was recorded then.
        settled: of how many today's state in SCC was put aside.
        judged: what people found it to be, to how many.
        wrong: what would have been enforced or asked on what people found to be nothing: the first few of them.
        wrong_by: the mode of those to how many.
        contained: workloads that would have been closed alone.
        joined: findings on what stood contained already.
        over_limit: how many the limits would have held back.
        busiest: most containments within one hour, and when that hour began.
        workloads: workload to mode to how many.
        owners: owner to how many were enforced or asked.
        protected: workloads that are known to be protected.
        moves: what follows from a decision, to how many.
        in_effect: how many had nothing left to close.
        lacking: how many were decided without the settings of then.
        lacking_in_part: how many plans are about some that were not recorded.
    """

    findings: int = 0
    first_ns: int | None = None
    last_ns: int = 0
    by_mode: Counter[str] = field(default_factory=Counter)
    by_wanted: Counter[str] = field(default_factory=Counter)
    by_policy: dict[str, Counter[str]] = field(default_factory=_counters)
    by_week: dict[str, Counter[str]] = field(default_factory=_counters)
    by_cap: Counter[str] = field(default_factory=Counter)
    waiting_on: Counter[str] = field(default_factory=Counter)
    hanging: int = 0
    recorded: int = 0
    settled: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    wrong: list[dict[str, str]] = field(default_factory=list)
    wrong_by: Counter[str] = field(default_factory=Counter)
    contained: int = 0
    joined: int = 0
    over_limit: int = 0
    busiest: tuple[int, int] = (0, 0)
    workloads: dict[str, Counter[str]] = field(default_factory=_counters)
    owners: Counter[str] = field(default_factory=Counter)
    protected: set[str] = field(default_factory=set)
    moves: Counter[str] = field(default_factory=Counter)
    in_effect: int = 0
    lacking: int = 0
    lacking_in_part: int = 0


@dataclass(slots=True)
class Changes:
    """Findings that the two sets decide differently: how many in which way, and the first few of them."""

    count: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    shown: list[dict[str, str]] = field(default_factory=list)


class Replay:
    """One set of policies on its way through time."""

    def __init__(self, config: Config) -> None:
        """`config` has the limits."""
        self.tally = Tally()
        self._limits = config.limits
        self._slots = Slots()
        self._standing: dict[str, int] = {}
        self._hour: deque[int] = deque()

    def take(self, row: Row, decided: Decided) -> Decided:
        """Count one finding, never earlier than the one before; what it comes to once limits are looked at."""
        ends = self._within_limits(row, decided)
        mode, tally = ends.mode or NOTHING, self.tally
        tally.findings += 1
        tally.first_ns = row.at_ns if tally.first_ns is None else tally.first_ns
        tally.last_ns = row.at_ns
        tally.by_mode[mode] += 1
        tally.by_wanted[ends.wanted or NOTHING] += 1
        tally.by_week[_monday(row.at_ns // _DAY_NS)][mode] += 1
        tally.recorded += bool(row.incident) and not ends.waits
        tally.settled += row.settled
        tally.hanging += bool(ends.waits)
        for source in ends.waits:
            tally.waiting_on[source] += 1
        if ends.policy:
            tally.by_policy[ends.policy][mode] += 1
        if mode != ends.wanted:
            for cap in ends.caps:
                tally.by_cap[cap] += 1
        self._count_people(row, ends, mode)
        return ends

    def _count_people(self, row: Row, ends: Decided, mode: str) -> None:
        tally = self.tally
        if row.closed_as:
            tally.judged[row.closed_as] += 1
        if mode not in ("enforce", "approve"):
            return
        tally.workloads[row.workload or "unknown"][mode] += 1
        tally.owners[row.owner or "unknown"] += 1
        if row.protected:
            tally.protected.add(row.workload)
        if row.closed_as in _WRONG:
            tally.wrong_by[mode] += 1
            if len(tally.wrong) < MOST_SHOWN:
                tally.wrong.append(_shown(row) | {"policy": ends.policy, "mode": mode, "closed_as": row.closed_as})

    def _within_limits(self, row: Row, decided: Decided) -> Decided:
        target = row.target
        self.tally.lacking += decided.lacks == "none"
        self.tally.lacking_in_part += decided.lacks == "in part"
        self.tally.moves[decided.move] += bool(decided.move)
        if decided.move != "contain" or target is None:
            return decided
        if decided.closes is not None and not decided.closes:
            self.tally.in_effect += 1
            return decided
        targets = tuple(map(target_of, decided.targets)) or (target,)
        if row.at_ns - self._standing.get(row.workload, -STANDS_NS) < STANDS_NS:
            self.tally.joined += 1
            return decided
        self._slots = self._slots.of_last_hour(row.at_ns)
        if over_limit(self._slots, targets, self._limits):
            self.tally.over_limit += 1
            return replace(decided, mode="approve", caps=(*decided.caps, "blast_radius"))
        self._slots = self._slots.with_slots(row.id, targets, row.at_ns)
        self._standing = {key: at for key, at in self._standing.items() if row.at_ns - at < STANDS_NS}
        self._standing[row.workload] = row.at_ns
        self.tally.contained += 1
        self._count_hour(row.at_ns)
        return decided

    def _count_hour(self, at_ns: int) -> None:
        self._hour.append(at_ns)
        while at_ns - self._hour[0] >= HOUR_NS:
            self._hour.popleft()
        self.tally.busiest = max(self.tally.busiest, (len(self._hour), self._hour[0]), key=lambda one: one[0])


def replay(rows: Iterable[Row], configs: tuple[Config, ...]) -> tuple[Tally, Changes]:
    """The first set's counts, and what a second one would decide otherwise. Rows come in the order of their time."""
    ways, changes = [Replay(one) for one in configs], Changes()
    for row in rows:
        ends = [way.take(row, decided) for way, decided in zip(ways, row.sets, strict=True)]
        if len(ends) > 1 and ends[0].outcome != ends[1].outcome:
            _note(changes, row, ends[0], ends[1])
    return ways[0].tally, changes


def _note(changes: Changes, row: Row, new: Decided, old: Decided) -> None:
    changes.count += 1
    changes.ways[f"{old.mode or NOTHING} → {new.mode or NOTHING}"] += 1
    if len(changes.shown) < MOST_SHOWN:
        pair = {"old": old, "new": new}
        ends = {
            f"{name}_{word}": value
            for name, one in pair.items()
            for word, value in (("policy", one.policy), ("mode", one.mode or NOTHING))
        }
        changes.shown.append(_shown(row) | ends | {"closed_as": row.closed_as})


def _shown(row: Row) -> dict[str, str]:
    at = dt.datetime.fromtimestamp(row.at_ns // NANOS, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": row.incident or row.id, "at": at, "category": row.category, "workload": row.workload}


@functools.lru_cache(maxsize=16)
def _monday(days: int) -> str:
    """The Monday of the week, `days` after 1 January 1970."""
    day = dt.date(1970, 1, 1) + dt.timedelta(days=days)
    return (day - dt.timedelta(days=day.weekday())).isoformat()
