"""The gate: whether a plan may be written now, asked of every guard about every target, whatever led there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from firebreak.core.actions.action import Actions
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.guards import PASSING, caps_for
from firebreak.core.containment.plan import Plan
from firebreak.core.incidents.question import Answer
from firebreak.core.mode import Cap, Mode, capped


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate says of a plan: `go`, `ask` a person, `wait` for a bar that may pass, or `stop`.

    Attributes:
        word: what may be done.
        mode: the mode that the guards leave.
        caps: every guard's reason, bars first.
        given: what the guards looked at.
        slots: whether each written target needs a slot, because no person approved.
    """

    word: Literal["go", "ask", "wait", "stop"]
    mode: Mode
    caps: tuple[Cap, ...]
    given: GuardInput
    slots: bool = False

    @property
    def cautions(self) -> tuple[str, ...]:
        """What an approval would have to answer."""
        return tuple(dict.fromkeys(cap.key for cap in self.caps if cap.kind == "caution"))


def gate(
    given: GuardInput, plan: Plan | None, actions: Actions, wanted: Mode, answer: Answer | None, shown: str
) -> Ruling:
    """Rule on the plan; `shown` is what a question about it would show now, and `answer` the one that was given."""
    caps = caps_for(given, plan, actions)
    mode = capped(wanted, caps)
    if mode is Mode.MONITOR:
        bars = [cap for cap in caps if cap.kind == "bar"]
        passing = bars and all(cap.name in PASSING for cap in bars) and given.trust != "differs"
        return Ruling("wait" if passing and wanted is not Mode.MONITOR else "stop", mode, caps, given)
    if answer is not None and answer.shown == shown and {cap.key for cap in caps} <= {*answer.cautions}:
        return Ruling("go", mode, caps, given, slots=not answer.by)
    return Ruling("go" if mode is Mode.ENFORCE else "ask", mode, caps, given, slots=True)
