"""The same for minutes, with other histories for each part, and over the wire with the real clients."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.clock import played_on
from tests.model.machine import ResponseMachine
from tests.model.machine_over_the_wire import MachineOverTheWire

SECONDS = float(os.environ.get("FIREBREAK_MODEL_SECONDS", "60"))
"""How long each part goes on drawing; whoever looks for something rare sets more."""
PARTS = range(4)
_AT_ONCE = 25


def draw(machine: type[ResponseMachine], part: int, steps: int) -> int:
    """Draw histories of that part until the time is over; how many there were."""
    until, number = time.monotonic() + SECONDS, 0
    asked = settings(
        max_examples=_AT_ONCE,
        stateful_step_count=steps,
        derandomize=False,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with played_on(machine.clock):
        while time.monotonic() < until:
            number += 1
            run_state_machine_as_test(seed(part * 1_000_000 + number)(machine), settings=asked)
    return number * _AT_ONCE


@pytest.mark.parametrize("part", PARTS)
def test_the_invariants_hold_for_minutes(part: int, record_property: Callable[[str, object], None]) -> None:
    """Longer histories, and no two parts draw the same."""
    count = draw(ResponseMachine, part, steps=20)
    record_property("figure", f"about {round(count, -3) or 1000} histories in memory")


@pytest.mark.parametrize("part", PARTS[:2])
def test_the_invariants_hold_over_the_wire(part: int, record_property: Callable[[str, object], None]) -> None:
    """With the real clients, on the sandbox, and on the real store."""
    count = draw(MachineOverTheWire, 100 + part, steps=10)
    record_property("figure", f"about {round(count, -2) or 100} histories over the wire")
