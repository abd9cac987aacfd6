"""All that is checked after every step."""

from __future__ import annotations

from tests.model.history import Violated
from tests.model.invariants.aim import check_aim
from tests.model.invariants.answers import check_answers
from tests.model.invariants.contained import check_contained, check_suspects_grow
from tests.model.invariants.gate import check_gate
from tests.model.invariants.releases import check_no_suspect_comes_back, check_released
from tests.model.invariants.reopened import check_reopened
from tests.model.invariants.tampering import check_nothing_without_the_key
from tests.model.invariants.turns import check_turns
from tests.model.invariants.unchanged import check_unchanged
from tests.model.stage import Check, Stage


def check_threads(stage: Stage) -> None:
    """What runs beside the response fails no more than the response itself."""
    if faults := stage.ground.faults():
        message = f"a thread ended in {faults[0]!r}"
        raise Violated(0, message)


CHECKS: tuple[Check, ...] = (
    check_threads,
    check_gate,
    check_aim,
    check_unchanged,
    check_answers,
    check_suspects_grow,
    check_contained,
    check_reopened,
    check_released,
    check_no_suspect_comes_back,
    check_nothing_without_the_key,
    check_turns,
)
_BY_WRITES = frozenset({1, 2, 3, 6})


def check_everything(stage: Stage) -> None:
    """Every invariant; what a write breaks after somebody has tampered with the ledger breaks the seventh."""
    try:
        for check in CHECKS:
            check(stage)
    except Violated as broken:
        if stage.history.tampered and broken.number in _BY_WRITES:
            raise Violated(7, f"after {stage.history.tampered[-1]}: {broken}") from broken
        raise
