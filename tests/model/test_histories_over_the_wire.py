"""The invariants in drawn histories with the real clients, on the sandbox, and on the real store."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.clock import played_on
from tests.model.machine_over_the_wire import MachineOverTheWire

SOME = settings(
    max_examples=150,
    stateful_step_count=10,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def test_the_invariants_hold_over_the_wire(record_property: Callable[[str, object], None]) -> None:
    """Nobody tampers here, and operations end at once; everything else is drawn as over the model."""
    with played_on(MachineOverTheWire.clock):
        run_state_machine_as_test(MachineOverTheWire, settings=SOME)

    record_property("figure", f"{MachineOverTheWire.histories} histories over the wire")
