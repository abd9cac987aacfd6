"""Every order of a few happenings in a small world, with a death at any save, write or message of any of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.model.walk import HAPPENINGS, walked


@pytest.mark.parametrize("first", [one for one in HAPPENINGS if one != "resume"])
def test_the_invariants_hold_in_every_order_with_a_death(
    first: str, record_property: Callable[[str, object], None]
) -> None:
    """One part for each of what may happen first."""
    walk = walked(deaths=1, first=first)
    record_property("figure", f"a walk from the {first}, with a death: {walk.states} states, {walk.histories} ways")
    assert not walk.broken, walk.report
