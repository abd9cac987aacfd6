"""The incidents in one table: which of them wait for somebody comes first to the eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, category, last_event, part, place, since, span

PHASE_STYLES = {
    "broken": "bad",
    "waiting": "caution",
    "failed": "bad",
    "deferred": "caution",
    "releasing": "caution",
    "containing": "busy",
    "verifying": "busy",
    "contained": "good",
    "released": "good",
}
TOLD = {
    "waiting": "waiting for an answer",
    "failed": "failed",
    "releasing": "released in part",
    "deferred": "deferred",
}
"""Phases that somebody should look at, in the words of the last line."""
_INCIDENT, _PHASE, _AGE = 19, 10, 6
_CUT = 2
"""What cutting leaves beside a name: `…/`."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many incidents the ledger holds, and how many were looked through; of these `fitting` are asked for.

    `asked` says for which, as part of a sentence, `phases` how many of them are in which phase, and `ledger` where they
    are, if they are in a file of this machine.
    """

    total: int
    asked: str = ""
    fitting: int = 0
    looked_at: int = 0
    ledger: str | None = None
    phases: Mapping[str, int] = field(default_factory=dict)

    def told(self, shown: int) -> str:
        """How many are shown, of how many there are in truth."""
        held = f"{self.total} {'incident' if self.total == 1 else 'incidents'}" if self.total else "No incidents"
        place = f" in the ledger {self.ledger}" if self.ledger else ""
        if not self.total or (shown == self.total and not self.asked):
            return f"{held}{place}."
        if not self.asked:
            return f"{shown} of {held}{place}."
        number = f"{shown} of {self.fitting}" if shown < self.fitting else f"{shown or 'None'}"
        return f"{number} {self.asked}, of {held}{place}{self._among(', looked for')}."

    def waiting(self) -> str:
        """How many somebody should look at, by phase; empty if none."""
        said = [f"{self.phases[phase]} {words}" for phase, words in TOLD.items() if self.phases.get(phase)]
        return f"{', '.join(said)}{self._among('')}" if said else ""

    def _among(self, how: str) -> str:
        return f"{how} among the {self.looked_at} last touched" if self.looked_at < self.total else ""


def show_list(screen: Screen, records: Sequence[Record], now_ns: int, halted: str | None, count: Count) -> None:
    """How many there are in truth, then one incident a line in a pipe, two or three on a terminal."""
    if halted:
        screen.line(f"HALTED, nothing is written: {halted}", "bad")
    screen.line(count.told(len(records)), "strong" if records else "")
    if waiting := count.waiting():
        screen.line(f"{waiting}: firebreak incident show ID", "caution")
    if not records:
        return
    header = _columns(
        "incident", "phase", "age", "where: what was found: what is so now, policy (mode): what came last"
    )
    screen.verbatim(screen.cut(header, screen.width or 0), "strong")
    for one in records:
        _show_one(screen, one, now_ns)


def _show_one(screen: Screen, one: Record, now_ns: int) -> None:
    """On a terminal the name of the workload is what is cut last: where there is little room, it has its own line."""
    phase, where = "broken" if one.get("seal") == "broken" else str(one["phase"]), place(one)
    begin, style = _columns(str(one["id"]), phase, span(since(one["created"], now_ns)), ""), PHASE_STYLES.get(phase, "")
    if screen.width is None:
        screen.verbatim(f"{begin}{where}: {category(one)}: {_now(one, now_ns)}")
        return
    room = screen.width - len(begin)
    if len(where) + len(category(one)) + _CUT <= room:
        where = f"{where}  {category(one)}"
    if len(where.rpartition("/")[2]) + _CUT <= room or len(where) <= room:
        screen.verbatim(begin + screen.cut_front(where, room), style)
    else:
        screen.verbatim(begin.rstrip(), style)
        screen.verbatim(screen.cut_front(where, screen.width - 4), style, indent=4)
    screen.verbatim(screen.cut(_now(one, now_ns), screen.width - 4), "dim", indent=4)


def _now(one: Record, now_ns: int) -> str:
    """What is so now, or that the record is not to be believed; then by which policy, and what happened last."""
    if one.get("seal") == "broken":
        return "ITS SEAL IS BROKEN: somebody without the key changed it, or put it back; believe none of it unchecked"
    last = last_event(one)
    if one.get("waits_for"):
        last = f"waits for {span(since(one.get('waits_since'), now_ns))} now: {one['waits_for']}"
    until = f"Until {str(one.get('until')).partition('. ')[0]}: " if one["phase"] == "waiting" else ""
    return f"{until}{one.get('now')} {_policy(one)}: {last}"


def _columns(incident: str, phase: str, age: str, rest: str) -> str:
    return f"{incident:<{_INCIDENT}}  {phase:<{_PHASE}}  {age:>{_AGE}}  {rest}"


def _policy(one: Record) -> str:
    decision = part(one.get("decision"))
    return f"{decision['policy']} ({decision.get('mode')})" if decision.get("policy") else "no policy"
