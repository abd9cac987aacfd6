"""Policies that are deployed between a decision and its write: by today's it is decided anew, and in their mode."""

from __future__ import annotations

from contextlib import suppress

import pytest

from firebreak.core.errors import Transient
from sandbox.wire import Fault
from tests.response.answers import yes
from tests.response.deployments import deployed
from tests.response.harness import ALWAYS, Line, Lines
from tests.response.roads import A_SWEEP_LATER

APPROVE, MONITOR = (ALWAYS.replace("enforce", mode) for mode in ("approve", "monitor"))
CUT = APPROVE.replace("pin_previous_revision", "cut_traffic")


def unwritten(on: Line, *, approved: bool) -> None:
    """An incident comes whose write Cloud Run does not take; from then on it takes them."""
    on.sandbox.wire.inject(Fault("*/UpdateService", "error", "UNAVAILABLE", times=None))
    with suppress(Transient):
        on.respond(on.finding())
    (held,) = on.app.ledger.newest(2)
    if approved:
        with suppress(Transient):
            yes(on, held.incident)
    on.sandbox.wire.clear_faults()


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize(("today", "comes_to"), [(MONITOR, "monitored"), (CUT, "waiting")], ids=["monitor", "cut"])
def test_what_is_decided_and_not_written_goes_by_the_policies_of_today(
    line: Lines, today: str, comes_to: str, *, approved: bool
) -> None:
    with line(policy=APPROVE if approved else ALWAYS) as on:
        unwritten(on, approved=approved)
        tried = len(on.updates)
        deployed(on, today)
        on.sweep()
        on.wait(A_SWEEP_LATER)  # that a lost write may still land ends nothing
        on.sweep()

        (held,) = on.app.ledger.newest(2)
        assert held.incident.phase == comes_to
        assert len(on.updates) == tried
        assert "decided anew: the policies have changed since" in [one.what for one in held.incident.history]
