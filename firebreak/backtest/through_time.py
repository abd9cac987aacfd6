"""What one finding comes to beside all others: what stands, open questions, limits of the hour, releases, answers.

People's answers and releases are those of the record; where it tells of none, a question goes as its policy says, and a
containment is taken to stand for a day. A halt is `timeline`'s matter.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from firebreak.backtest.course import Course
from firebreak.backtest.row import Decided, Row, target_of
from firebreak.backtest.tally import Tally
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.guards import DAY_NS
from firebreak.core.containment.slots import Slots, over_limit
from firebreak.core.incidents.question import MOST_ESCALATIONS
from firebreak.core.policy.policy import Policy, PolicySet
from firebreak.core.timestamps import NANOS

STANDS_NS = DAY_NS
"""How long a containment is taken to stand where nothing tells of its release."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What stands on one target: whose finding led to it, what it closed (None: not known), and until when."""

    finding: str
    closes: frozenset[str] | None
    until_ns: int


@dataclass(frozen=True, slots=True)
class _Open:
    """One open question, and the number by which its end is known."""

    row: Row
    decided: Decided
    number: int


class ThroughTime:
    """One set of policies on its way through time."""

    def __init__(self, policies: PolicySet, tally: Tally) -> None:
        """`tally` is told what came of each."""
        self._limits = policies.config.limits
        self._policies: Mapping[str, Policy] = {one.id: one for one in policies.policies}
        self._tally = tally
        self._slots = Slots()
        self._standing: dict[str, _Held] = {}
        self._released: dict[str, int] = {}
        self._questions: dict[str, _Open] = {}
        self._due: list[tuple[int, int, str, str]] = []
        self._numbers = count()

    def take(self, row: Row, decided: Decided, at_ns: int) -> Decided:
        """What is decided at this time, never earlier than the one before."""
        self.pass_time(at_ns)
        target = row.target
        if decided.move == "ask" and target is None:
            self._ask(row, decided, at_ns)
            return decided
        if decided.move not in ("contain", "ask") or target is None:
            self._went("recorded" if decided.move == "record" else decided.move)
            return decided
        targets = tuple(map(target_of, decided.targets)) or (target,)
        stands = [self._standing[one.key] for one in targets if one.key in self._standing]
        if decided.alone and not stands:
            decided = decided._replace(alone=None, **decided.alone)
            return self.take(row, decided, at_ns)
        if self._closes_nothing_new(decided, targets, stands):
            self._went("joined" if stands else "in effect already")
            return decided
        if cap := self._holds_back(decided, targets, stands, at_ns):
            self._tally.over_limit += cap == "blast_radius"
            decided = decided._replace(mode="approve", move="ask", caps=(*decided.caps, cap))
        if decided.move == "ask":
            self._ask(row, decided, at_ns)
        else:
            self._contain(row, decided, targets, at_ns, "contained")
        return decided

    def pass_time(self, now_ns: int) -> None:
        """Whatever is due by then: answers, expiries, ends of containments."""
        while self._due and self._due[0][0] <= now_ns:
            at_ns, number, what, key = heapq.heappop(self._due)
            if what in ("ends", "released"):
                self._end(key, at_ns, released=what == "released")
            elif (question := self._questions.get(key)) and question.number == number:
                self._settle(question, what, at_ns)

    def _closes_nothing_new(self, decided: Decided, targets: Sequence[Target], stands: Sequence[_Held]) -> bool:
        if decided.closes is None:
            return len(stands) == len(targets)
        known = frozenset[str]().union(*(one.closes or () for one in stands))
        unknown = any(one.closes is None for one in stands)
        return known.issuperset(decided.closes) or (unknown and len(stands) == len(targets))

    def _holds_back(self, decided: Decided, targets: Sequence[Target], stands: Sequence[_Held], at_ns: int) -> str:
        """The guard that looks at other findings and turns a containment into a question."""
        if stands and decided.closes is not None:
            return "contained" if decided.move == "contain" else ""
        if decided.move != "contain":
            return ""
        if any(at_ns - self._released.get(one.key, -STANDS_NS) < STANDS_NS for one in targets):
            return "released"
        self._slots = self._slots.of_last_hour(at_ns)
        return "blast_radius" if over_limit(self._slots, tuple(targets), self._limits) else ""

    def _contain(self, row: Row, decided: Decided, targets: Sequence[Target], at_ns: int, word: str) -> None:
        self._went(word)
        if word != "approved":
            self._slots = self._slots.with_slots(row.id, targets, at_ns)
            self._tally.count_containment(at_ns, row.workload)
        until, released = _end_of(row.course, at_ns)
        closes = None if decided.closes is None else frozenset(decided.closes)
        for one in targets:
            before = self._standing.get(one.key)
            both = closes if before is None or before.closes is None or closes is None else closes | before.closes
            self._standing[one.key] = _Held(row.finding, both, until)
            heapq.heappush(self._due, (until, next(self._numbers), "released" if released else "ends", one.key))

    def _end(self, key: str, at_ns: int, *, released: bool) -> None:
        held = self._standing.get(key)
        if held is not None and held.until_ns <= at_ns:
            del self._standing[key]
        if released:
            self._released[key] = at_ns
        self._released = {one: at for one, at in self._released.items() if at_ns - at < STANDS_NS}

    def _ask(self, row: Row, decided: Decided, at_ns: int) -> None:
        """A question; a further event of the finding puts the open one anew, with the deadline that it had."""
        if before := self._questions.get(row.finding):
            self._questions[row.finding] = replace(before, decided=decided)
            self._went("put anew")
            return
        self._went("asked")
        number = next(self._numbers)
        self._questions[row.finding] = _Open(row, decided, number)
        answer = next(((at, yes) for at, yes in row.course.answers if at >= at_ns), None)
        within = self._within_ns(decided)
        ends = [(at_ns + within, "expires"), (at_ns + within * (MOST_ESCALATIONS + 1), "expired")]
        if answer is not None:
            ends.append((answer[0], "approved" if answer[1] else "rejected"))
        for when, what in ends:
            heapq.heappush(self._due, (when, number, what, row.finding))

    def _within_ns(self, decided: Decided) -> int:
        policy = self._policies.get(decided.policy)
        return (policy.approve_within if policy else 1800) * NANOS

    def _settle(self, question: _Open, what: str, at_ns: int) -> None:
        row, decided = question.row, question.decided
        targets = tuple(map(target_of, decided.targets)) or ((row.target,) if row.target else ())
        if what == "expires":
            if not self._contains_then(decided, targets, at_ns):
                return
            self._contain(row, decided, targets, at_ns, "contained after no answer")
        elif what == "approved":
            self._contain(row, decided, targets, at_ns, "approved")
        else:
            self._went(what)
        del self._questions[row.finding]

    def _contains_then(self, decided: Decided, targets: Sequence[Target], at_ns: int) -> bool:
        """Only where nothing but the policy's own mode asked, nothing was unknown, and the limits allow it."""
        policy = self._policies.get(decided.policy)
        own = decided.wanted == "approve" and not decided.caps and not decided.waits
        if policy is None or policy.on_expiry != "contain" or not own or not targets:
            return False
        if any(one.key in self._standing for one in targets):
            return False
        self._slots = self._slots.of_last_hour(at_ns)
        return not over_limit(self._slots, tuple(targets), self._limits)

    def _went(self, word: str) -> None:
        if word:
            self._tally.went[word] += 1


def _end_of(course: Course, at_ns: int) -> tuple[int, bool]:
    """Until when it stands, and whether somebody released it then."""
    if course.released_ns is not None and course.released_ns > at_ns:
        return course.released_ns, True
    return max(at_ns + STANDS_NS, course.stood_ns), False
