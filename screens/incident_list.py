"""The incidents in one table: which of them wait for somebody comes first to the eye."""

from __future__ import annotations

from collections.abc import Sequence

from screens.console import Screen
from screens.wording import Record, last_event, part, place, since, span

PHASE_STYLES = {
    "waiting": "caution",
    "failed": "bad",
    "containing": "busy",
    "verifying": "busy",
    "contained": "good",
    "released": "good",
}
_INCIDENT, _PHASE, _AGE = 19, 10, 6


def show_list(screen: Screen, records: Sequence[Record], now_ns: int, halted: str | None = None) -> None:
    """One incident a line in a pipe, two on a terminal; last touched first."""
    if halted:
        screen.line(f"HALTED, nothing is written: {halted}", "bad")
    if not records:
        screen.line("No incidents.")
        return
    header = _columns("incident", "phase", "age", "where: policy (mode): what")
    screen.verbatim(screen.cut(header, screen.width or 0), "strong")
    for one in records:
        _show_one(screen, one, now_ns)
    _sum(screen, records)


def _show_one(screen: Screen, one: Record, now_ns: int) -> None:
    phase = str(one["phase"])
    begin = _columns(str(one["id"]), phase, span(since(one["created"], now_ns)), "")
    if screen.width is None:
        screen.verbatim(f"{begin}{place(one)}: {_policy(one)}: {last_event(one)}")
        return
    screen.verbatim(begin + screen.cut(place(one), screen.width - len(begin)), PHASE_STYLES.get(phase, ""))
    screen.verbatim(screen.cut(f"{_policy(one)}: {last_event(one)}", screen.width - 4), "dim", indent=4)


def _columns(incident: str, phase: str, age: str, rest: str) -> str:
    return f"{incident:<{_INCIDENT}}  {phase:<{_PHASE}}  {age:>{_AGE}}  {rest}"


def _policy(one: Record) -> str:
    decision = part(one.get("decision"))
    return f"{decision['policy']} ({decision.get('mode')})" if decision.get("policy") else "no policy"


def _sum(screen: Screen, records: Sequence[Record]) -> None:
    waiting = sum(one["phase"] == "waiting" for one in records)
    failed = sum(one["phase"] == "failed" for one in records)
    said = [f"{waiting} waiting for an answer"] if waiting else []
    said += [f"{failed} failed"] if failed else []
    if said:
        screen.line(f"{', '.join(said)}: firebreak incident show ID", "caution")
