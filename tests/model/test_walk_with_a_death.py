"""Every order of a few happenings in a small world, with a death at any save, write or message of any of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.model.walk import walked


def test_the_invariants_hold_in_every_order_with_a_death(record_property: Callable[[str, object], None]) -> None:
    """Two events, an answer, an expiry, a halt and its end, on one service; what dies is delivered again in the end."""
    walk = walked(deaths=1)
    record_property("figure", f"a walk with a death: {walk.states} states, {walk.histories} ways between them")
    assert not walk.broken, walk.report
