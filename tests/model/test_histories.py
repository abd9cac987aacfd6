"""The eight invariants in histories that are drawn: a few each time, and many more in `test_many_histories.py`."""

from __future__ import annotations

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.clock import played_on
from tests.model.machine import ResponseMachine

FEW = settings(max_examples=60, stateful_step_count=10, phases=(Phase.explicit, Phase.generate))
"""What is found here is told step by step, and not made shorter: that takes minutes, which the other tests have."""


def test_the_invariants_hold_in_every_history_drawn() -> None:
    """Whatever people, SCC, time and accidents do, in whatever order."""
    with played_on(ResponseMachine.clock):
        run_state_machine_as_test(ResponseMachine, settings=FEW)
