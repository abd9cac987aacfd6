"""A death, a lost answer, a halt or a person's edit at every point of a response, of an approval and of a release."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.model.every_point import DOINGS, EveryPoint
from tests.model.scc import ASKED, ASKED_ELSE_CONTAINED, ENFORCED, IDENTITY
from tests.model.scenery import CART, CHECKOUT, INDEXER, NIGHTLY

CASES = (
    (CHECKOUT, "checkout-8", ENFORCED),
    (CHECKOUT, "checkout-8", ASKED),
    (CHECKOUT, "checkout-8", IDENTITY),
    (CART, "cart-8", ENFORCED),
    (CART, "cart-8", ASKED_ELSE_CONTAINED),
    (INDEXER, "indexer-8", ENFORCED),
    (NIGHTLY, "nightly-8", ENFORCED),
)


@pytest.mark.parametrize("doing", DOINGS)
@pytest.mark.parametrize(("place", "names", "category"), CASES)
def test_the_invariants_hold_whatever_happens_at_any_point(
    doing: str, place: str, names: str, category: str, record_property: Callable[[str, object], None]
) -> None:
    """Points are those just before and just after a save, a write, a wait for one, or a message."""
    every = EveryPoint(doing, place, names, category)
    every.play()
    record_property("figure", f"points of {doing} on a {place.split('/')[2]}: about {round(every.played, -1)}")
    assert not every.broken, every.report
