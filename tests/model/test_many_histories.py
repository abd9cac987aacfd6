"""The invariants for minutes, in longer histories, and other ones for each part."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.clock import played_on
from tests.model.machine import ResponseMachine

ROUNDS = int(os.environ.get("FIREBREAK_MODEL_ROUNDS", "8"))
"""How often each part draws; whoever looks for something rare sets more. Never a time: a test is the same anywhere."""
_AT_ONCE = 25
MANY = settings(
    max_examples=_AT_ONCE,
    stateful_step_count=20,
    derandomize=False,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("part", range(2))
def test_the_invariants_hold_in_many_histories(part: int, record_property: Callable[[str, object], None]) -> None:
    with played_on(ResponseMachine.clock):
        for number in range(1, ROUNDS + 1):
            run_state_machine_as_test(seed(part * 1_000_000 + number)(ResponseMachine), settings=MANY)

    record_property("figure", f"{ROUNDS * _AT_ONCE} histories over the model, of 20 steps each")
