"""How far containments without a person may reach within an hour: which targets count, and as whose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.slots import HOUR_NS, Slots, may_be_one_project, over_limit
from firebreak.core.policy.policy import Limits

SHOP = Target("shop-prod", "europe-west1", "service", "checkout", None, None, "shop-prod", "42")
BANK = replace(SHOP, project="bank-prod", project_id="bank-prod", project_number="77")
BY_ID = replace(SHOP, project_number=None)
BY_NUMBER = replace(SHOP, project="42", project_id=None)
ANOTHER = replace(SHOP, name="pay")


def taken(*targets: Target) -> Slots:
    slots = Slots()
    for number, target in enumerate(targets):
        slots = slots.with_slots(f"fb-{number}", (target,), number)
    return slots


@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        (SHOP, SHOP, True),
        (SHOP, BY_ID, True),
        (SHOP, BY_NUMBER, True),
        (BY_ID, BY_NUMBER, True),
        (SHOP, BANK, False),
        (BY_ID, BANK, False),
        (BY_NUMBER, BANK, False),
        (BY_NUMBER, replace(BANK, project_number=None), True),
    ],
)
def test_two_spellings_are_one_project_unless_they_are_known_to_differ(
    one: Target,
    other: Target,
    may_be: bool,  # noqa: FBT001 - a table
) -> None:
    """An id tells nothing about a number."""
    assert may_be_one_project(one, other) is may_be
    assert may_be_one_project(other, one) is may_be


def test_a_project_by_its_number_and_by_its_id_has_one_limit() -> None:
    limits = Limits(per_project_per_hour=1, per_hour=9)

    assert "in project shop-prod" in over_limit(taken(BY_NUMBER), (ANOTHER,), limits)
    assert "in project 42" in over_limit(taken(ANOTHER), (BY_NUMBER,), limits)
    assert over_limit(taken(SHOP), (BANK,), limits) == ""


def test_a_target_counts_once_however_many_incidents_contain_it() -> None:
    limits = Limits(per_project_per_hour=1, per_hour=1)

    assert over_limit(taken(SHOP), (BY_NUMBER,), limits) == ""
    assert over_limit(taken(SHOP, SHOP), (BY_ID,), limits) == ""
    assert over_limit(taken(SHOP), (ANOTHER,), limits) != ""


def test_a_plan_that_needs_more_than_is_left_is_told_so() -> None:
    """And not that all is used up."""
    reason = over_limit(taken(SHOP), (ANOTHER, replace(SHOP, name="cart")), Limits(2, 20))

    assert reason == "the limit is 2 containments in project shop-prod per hour; with this one it would be 3"


def test_where_the_record_was_lost_none_is_left_for_an_hour() -> None:
    """Nobody knows how many there were; then all of them would have aged out."""
    lost = replace(taken(SHOP), lost_ns=HOUR_NS)

    assert "lost" in over_limit(lost.of_last_hour(2 * HOUR_NS - 1), (SHOP,), Limits(9, 9))
    assert over_limit(lost.of_last_hour(2 * HOUR_NS), (SHOP,), Limits(9, 9)) == ""


def test_a_slot_of_a_project_that_is_not_known_counts_in_every_one() -> None:
    """As of an incident that cannot be read any more."""
    unknown = Target("", "", "service", "fb-1")

    assert "in project shop-prod" in over_limit(taken(unknown), (SHOP,), Limits(1, 9))
    assert "in project bank-prod" in over_limit(taken(unknown), (BANK,), Limits(1, 9))


def test_slots_age_out_after_an_hour_and_are_the_incidents_own() -> None:
    slots = taken(SHOP, BANK)

    assert slots.of_last_hour(HOUR_NS - 1) == slots
    assert slots.of_last_hour(HOUR_NS).taken == slots.taken[1:]
    assert slots.targets_without_slot("fb-0", (BY_NUMBER, ANOTHER)) == (ANOTHER,)
    assert slots.targets_without_slot("fb-1", (SHOP,)) == (SHOP,)
    assert slots.without_incident("fb-0").taken == slots.taken[1:]


TARGETS = st.sampled_from(
    [SHOP, BY_ID, BY_NUMBER, ANOTHER, BANK, replace(BANK, name="pay"), replace(BANK, location="x")]
)


@given(st.lists(TARGETS, max_size=8), st.lists(TARGETS, min_size=1, max_size=3), st.integers(0, 4), st.integers(0, 6))
def test_no_order_of_takings_passes_a_limit(there: list[Target], wanted: list[Target], project: int, all_: int) -> None:
    """Whatever was let through, what is taken then is within both limits; a higher limit never forbids more."""
    limits, slots = Limits(project, all_), Slots()
    for number, target in enumerate(there):
        if not over_limit(slots, (target,), limits):
            slots = slots.with_slots(f"fb-{number}", (target,), 0)
    allowed = not over_limit(slots, tuple(wanted), limits)
    after = slots.with_slots("fb-x", tuple(wanted), 0) if allowed else slots
    workloads = {(one.target.project_number or "42", one.target.location, one.target.name) for one in after.taken}

    # The shop's spellings by id alone and by number alone may count twice, never less than once.
    assert len(workloads) <= all_
    assert all(sum(one[0] == number for one in workloads) <= project for number in ("42", "77"))
    assert not allowed or not over_limit(slots, tuple(wanted), Limits(project + 1, all_ + 1))
