"""Everything that is counted of one set of policies, and what two sets decide differently."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from firebreak.backtest.deciding import NO_MATCH
from firebreak.backtest.row import Decided, Row
from firebreak.backtest.trial import Trial, Word
from firebreak.core.containment.slots import HOUR_NS
from firebreak.core.timestamps import NANOS, format_instant

MOST_SHOWN = 200
NOTHING = "nothing"
_DAY_NS = 24 * HOUR_NS
_WRONG = ("false_positive", "benign")
_ASKS_OR_ACTS = ("approve", "enforce")  # the later one does more


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
        of_today: how many were decided on what VirusTotal says today.
        settled: of how many today's state in SCC was put aside.
        unverified: how many records were pulled without verifying their seal.
        aside: why nothing was decided, to how many.
        judged: what people found it to be, to how many.
        wrong: what would have been enforced or asked on what people found to be nothing: the first few of them.
        wrong_by: the mode of those to how many.
        went: what came of it in time (words of `through_time`), to how many.
        over_limit: how many the limits would have held back.
        busiest: most containments within one hour, and when that hour began.
        workloads: workload to mode to how many.
        owners: owner to how many were enforced or asked.
        alone: the workloads that would have been contained without a person, some of them more than once.
        protected: workloads that are known to be protected.
        lacking: how many were decided without the settings of then.
        lacking_in_part: how many plans are about some that were not recorded.
        clauses: how each clause of each policy went (`Decided.clauses`), to how many.
        shadow: policy in shadow to what it would have decided, as records of it would tell.
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
    unverified: int = 0
    aside: Counter[str] = field(default_factory=Counter)
    of_today: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    wrong: list[dict[str, str]] = field(default_factory=list)
    wrong_by: Counter[str] = field(default_factory=Counter)
    went: Counter[str] = field(default_factory=Counter)
    over_limit: int = 0
    busiest: tuple[int, int] = (0, 0)
    workloads: dict[str, Counter[str]] = field(default_factory=_counters)
    owners: Counter[str] = field(default_factory=Counter)
    alone: set[str] = field(default_factory=set)
    protected: set[str] = field(default_factory=set)
    lacking: int = 0
    lacking_in_part: int = 0
    clauses: Counter[str] = field(default_factory=Counter)
    shadow: dict[str, Trial] = field(default_factory=dict)
    _hour: deque[int] = field(default_factory=deque)

    @property
    def contained(self) -> int:
        """How often there would have been a containment without a person, at once or because nobody answered."""
        return self.went["contained"] + self.went["contained after no answer"]

    def count(self, row: Row, ends: Decided) -> None:
        """Count one finding and what it comes to."""
        mode = ends.mode or NOTHING
        self.findings += 1
        self.first_ns = row.at_ns if self.first_ns is None else min(self.first_ns, row.at_ns)
        self.last_ns = max(self.last_ns, row.at_ns)
        self.by_mode[mode] += 1
        self.by_wanted[ends.wanted or NOTHING] += 1
        self.by_week[_monday(row.at_ns // _DAY_NS)][mode] += 1
        decided = ends.aside in ("", NO_MATCH)
        self.recorded += bool(row.incident) and decided and not ends.waits and not row.of_today
        self.of_today += row.of_today
        self.settled += row.settled
        self.unverified += row.unverified
        if ends.aside:
            self.aside[ends.aside] += 1
        self.hanging += bool(ends.waits)
        self.lacking += ends.lacks == "none"
        self.lacking_in_part += ends.lacks == "in part"
        self.clauses[ends.clauses] += 1
        for source in ends.waits:
            self.waiting_on[source] += 1
        if ends.policy:
            self.by_policy[ends.policy][mode] += 1
        if mode != ends.wanted:
            for cap in ends.caps:
                self.by_cap[cap] += 1
        self._count_people(row, ends, mode)
        self._count_shadow(row, ends, mode)

    def _count_shadow(self, row: Row, ends: Decided, mode: str) -> None:
        decided = ends.policy or "none", mode
        at, where, closed = format_instant(row.at_ns), row.workload or "unknown", row.closed_as
        for policy, by, would, wanted, may in ends.shadow:
            word = Word("", at, where, closed, decided, (by, would), wanted, may)
            self.shadow.setdefault(policy, Trial(policy)).count(row.incident or row.id, word, (by, would))

    def _count_people(self, row: Row, ends: Decided, mode: str) -> None:
        if row.closed_as:
            self.judged[row.closed_as] += 1
        if mode not in _ASKS_OR_ACTS:
            return
        self.workloads[row.workload or "unknown"][mode] += 1
        self.owners[row.owner or "unknown"] += 1
        if row.protected:
            self.protected.add(row.workload)
        if row.closed_as in _WRONG:
            self.wrong_by[mode] += 1
            if len(self.wrong) < MOST_SHOWN:
                self.wrong.append(shown(row) | {"policy": ends.policy, "mode": mode, "closed_as": row.closed_as})

    def count_containment(self, at_ns: int, workload: str) -> None:
        """One more within the hour."""
        self.alone.add(workload)
        self._hour.append(at_ns)
        while at_ns - self._hour[0] >= HOUR_NS:
            self._hour.popleft()
        self.busiest = max(self.busiest, (len(self._hour), self._hour[0]), key=lambda one: one[0])


@dataclass(slots=True)
class Changes:
    """Findings that the two sets decide differently: how many in which way, and the first few of them.

    `worse` counts those of them that people found to be nothing, and that are asked about or enforced only now.
    """

    count: int = 0
    worse: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    shown: list[dict[str, str]] = field(default_factory=list)

    def note(self, row: Row, new: Decided, old: Decided) -> None:
        """One that they do decide differently."""
        self.count += 1
        self.ways[f"{old.mode or NOTHING} → {new.mode or NOTHING}"] += 1
        self.worse += row.closed_as in _WRONG and _does(new) > _does(old)
        if len(self.shown) < MOST_SHOWN:
            ends = {
                f"{name}_{word}": value
                for name, one in (("old", old), ("new", new))
                for word, value in (("policy", one.policy), ("mode", one.mode or NOTHING))
            }
            self.shown.append(shown(row) | ends | {"closed_as": row.closed_as})


def _does(ends: Decided) -> int:
    return _ASKS_OR_ACTS.index(ends.mode) if ends.mode in _ASKS_OR_ACTS else -1


def shown(row: Row) -> dict[str, str]:
    """One finding, as lists of the report have it."""
    at = dt.datetime.fromtimestamp(row.at_ns // NANOS, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": row.incident or row.id, "at": at, "category": row.category, "workload": row.workload}


@functools.lru_cache(maxsize=16)
def _monday(days: int) -> str:
    """The Monday of the week, `days` after 1 January 1970."""
    day = dt.date(1970, 1, 1) + dt.timedelta(days=days)
    return (day - dt.timedelta(days=day.weekday())).isoformat()
