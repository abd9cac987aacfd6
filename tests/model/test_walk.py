"""Every order of a few happenings in a small world, without a death; with one in `test_walk_with_a_death.py`."""

from __future__ import annotations

from collections.abc import Callable

from tests.model.walk import walked

FEW = ("first event", "second event", "answer", "expiry", "halt")


def test_the_invariants_hold_in_every_order(record_property: Callable[[str, object], None]) -> None:
    """Two events, an answer, an expiry and a halt, on one service; in the end whatever passes passes."""
    walk = walked(deaths=0, happenings=FEW)
    record_property("figure", f"a walk without a death: {walk.states} states, {walk.histories} ways between them")
    assert not walk.broken, walk.report
