"""What follows from a decision, its plan and what the gate says of it, before anything is done."""

from __future__ import annotations

from typing import Literal

from firebreak.core.containment.gate import Ruling
from firebreak.core.containment.observation import Around
from firebreak.core.containment.plan import Plan

Move = Literal["wait", "record", "nothing to contain", "ask", "nothing can be done", "contain"]


def next_move(ruling: Ruling, plan: Plan, around: Around, unreferred: str) -> Move:
    """The move; `unreferred` are the suspects where nothing leads to them and nothing of the incident stands."""
    if ruling.word == "wait":
        return "wait"
    if ruling.word == "stop":
        return "record"
    if unreferred:
        return "nothing to contain"
    if not plan.changes:
        return "ask" if _is_lacking(ruling, plan, around) else "nothing can be done"
    return "contain" if ruling.word == "go" or _is_so_already(ruling, plan) else "ask"


def _is_so_already(ruling: Ruling, plan: Plan) -> bool:
    """A plan that was drawn whole and would write nothing needs no question, unless nobody knows what is suspect."""
    drawn = not any(one.kind in ("fault", "disputed") for one in plan.refusals)
    return drawn and not plan.writes and not any(cap.name == "unplaced" for cap in ruling.caps)


def _is_lacking(ruling: Ruling, plan: Plan, around: Around) -> bool:
    """Whether a person is asked even where no plan could be drawn: what it rests on may be known to them."""
    own = around.own
    if (own.workload is None and not own.away) or any(one.gone for one in around.seen):
        return False
    asks = any(cap.name in ("evidence", "unplaced") for cap in ruling.caps)
    return asks or any(one.kind in ("disputed", "unread") for one in plan.refusals)
