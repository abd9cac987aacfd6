"""The incidents in one table: which of them wait for somebody comes first to the eye."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, last_event, part, place, rows, since, span
from firebreak.core.first_few import first_few

PHASE_STYLES = {
    "waiting": "caution",
    "failed": "bad",
    "deferred": "caution",
    "releasing": "caution",
    "containing": "busy",
    "verifying": "busy",
    "contained": "good",
    "released": "good",
}
_TOLD = {
    "waiting": "waiting for an answer",
    "failed": "failed",
    "releasing": "released in part",
    "deferred": "deferred",
}
"""Phases that somebody should look at, in the words of the last line."""
_INCIDENT, _PHASE, _AGE = 19, 10, 6


@dataclass(frozen=True, slots=True)
class Count:
    """How many incidents the ledger holds, and how many were looked through; of these `fitting` are in the phase.

    `ledger` is where they are, if they are in a file of this machine.
    """

    total: int
    phase: str | None = None
    fitting: int = 0
    looked_at: int = 0
    ledger: str | None = None

    def told(self, shown: int) -> str:
        """How many are shown, of how many there are in truth."""
        held = f"{self.total} {'incident' if self.total == 1 else 'incidents'}" if self.total else "No incidents"
        place = f" in the ledger {self.ledger}" if self.ledger else ""
        if not self.total or (shown == self.total and self.phase is None):
            return f"{held}{place}."
        if self.phase is None:
            return f"{shown} of {held}{place}."
        only = f", looked for among the {self.looked_at} last touched" if self.looked_at < self.total else ""
        number = f"{shown} of {self.fitting}" if shown < self.fitting else f"{shown or 'None'}"
        return f"{number} in phase {self.phase}, of {held}{place}{only}."


def show_list(
    screen: Screen, records: Sequence[Record], now_ns: int, halted: str | None = None, count: Count | None = None
) -> None:
    """One incident a line in a pipe, two on a terminal; last touched first, and then how many there are in truth."""
    if halted:
        screen.line(f"HALTED, nothing is written: {halted}", "bad")
    told = (count or Count(len(records))).told(len(records))
    if not records:
        screen.line(told)
        return
    header = _columns("incident", "phase", "age", "where: policy (mode): what")
    screen.verbatim(screen.cut(header, screen.width or 0), "strong")
    for one in records:
        _show_one(screen, one, now_ns)
    screen.line(told, "dim")
    _sum(screen, records)


def _show_one(screen: Screen, one: Record, now_ns: int) -> None:
    phase = str(one["phase"])
    begin = _columns(str(one["id"]), phase, span(since(one["created"], now_ns)), "")
    if screen.width is None:
        screen.verbatim(f"{begin}{place(one)}: {_policy(one)}: {_now(one, now_ns)}")
        return
    screen.verbatim(begin + screen.cut(place(one), screen.width - len(begin)), PHASE_STYLES.get(phase, ""))
    screen.verbatim(screen.cut(f"{_policy(one)}: {_now(one, now_ns)}", screen.width - 4), "dim", indent=4)


def _now(one: Record, now_ns: int) -> str:
    """What it waits for, what of a release was refused, or what happened last."""
    if one.get("waits_for"):
        return f"waits for {span(since(one.get('waits_since'), now_ns))} now: {one['waits_for']}"
    keys = rows(part(one.get("release")).get("keys")) if one.get("phase") == "releasing" else []
    refused = [str(key.get("key")) for key in keys if key.get("result") == "refused"]
    if refused:
        return f"{len(refused)} of {len(keys)} settings are refused: {', '.join(first_few(refused, 3))}"
    return last_event(one)


def _columns(incident: str, phase: str, age: str, rest: str) -> str:
    return f"{incident:<{_INCIDENT}}  {phase:<{_PHASE}}  {age:>{_AGE}}  {rest}"


def _policy(one: Record) -> str:
    decision = part(one.get("decision"))
    return f"{decision['policy']} ({decision.get('mode')})" if decision.get("policy") else "no policy"


def _sum(screen: Screen, records: Sequence[Record]) -> None:
    counted = Counter(str(one.get("phase")) for one in records)
    said = [f"{counted[phase]} {words}" for phase, words in _TOLD.items() if counted[phase]]
    if said:
        screen.line(f"{', '.join(said)}: firebreak incident show ID", "caution")
