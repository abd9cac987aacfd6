"""What the guards say of targets on which something stands, was released or is protected, each for itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.guards import DAY_NS, caps_for
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Plan
from firebreak.core.policy.protected import Pattern, Protected
from tests.core.containment.guard_situations import (
    ACTIONS,
    ELSEWHERE,
    EVENT,
    NONE,
    TARGET,
    WRITES,
    case,
    caution,
    change,
    said,
    seen,
    situation,
    workload,
)


def test_what_stands_and_is_not_believed_asks_whatever_else_is_known() -> None:
    assert said(plan=None, seen=seen(standing=None, fault="broken")) == caution("seal", "broken")


CONTAINED = caution("contained", "the target is contained already, and the plan would close more")
RELEASED = caution("released", "a person released this target within the last 24 hours")
HELD = Standing(TARGET.key, holds=(Hold("fb-2", (), NONE, 1),))


def test_what_is_contained_already_is_not_closed_further_alone() -> None:
    """By this incident neither, once a plan of its own was carried out."""
    mine = seen(standing=replace(HELD, holds=(Hold("fb-1", (), NONE, 2),)))
    nothing = Plan((change(TARGET, None),), ())

    assert said(seen=seen(standing=HELD)) == CONTAINED
    assert said(seen=mine) == []
    assert said(seen=mine, contained_before=True) == CONTAINED
    assert said(seen=mine, incident="") == CONTAINED
    assert said(seen=seen(standing=HELD), plan=None) == said(seen=seen(standing=HELD), plan=nothing) == []


def test_beside_another_incident_s_hold_this_one_s_own_does_not_let_it_close_more() -> None:
    both = replace(HELD, holds=(*HELD.holds, Hold("fb-1", (), NONE, 2)))

    assert said(seen=seen(standing=both)) == CONTAINED


@pytest.mark.parametrize(("ago", "caps"), [(0, RELEASED), (DAY_NS - 1, RELEASED), (DAY_NS, [])])
def test_what_a_person_released_stays_theirs_for_a_day(ago: int, caps: list[tuple[str, str, str]]) -> None:
    assert said(seen=seen(standing=Standing(TARGET.key, released_ns=EVENT - ago))) == caps


@pytest.mark.parametrize(("held", "read", "asks"), [("u-1", "u-2", True), ("u-1", "u-1", False), ("", "u-2", False)])
def test_what_was_made_anew_under_a_contained_name_asks(held: str, read: str, *, asks: bool) -> None:
    mine = Standing(TARGET.key, holds=(Hold("fb-1", (), NONE, 1),), uid=held)
    reason = "this workload was deleted, and another one made in its place"

    assert said(seen=seen(standing=mine, workload=replace(workload(), uid=read))) == (
        caution("made_anew", reason) if asks else []
    )


@pytest.mark.parametrize(("found", "asks"), [("u-1", True), ("u-2", False), ("", False)])
def test_what_was_made_anew_since_it_was_found_asks_where_something_would_be_written(found: str, *, asks: bool) -> None:
    now = seen(workload=replace(workload(), uid="u-2"))
    reason = "this workload was deleted, and another one made in its place"

    assert said(seen=now, uids={TARGET.key: found}) == (caution("made_anew", reason) if asks else [])
    assert said(seen=now, uids={TARGET.key: found}, plan=Plan((change(TARGET, None),), ())) == []


def test_what_was_contained_once_and_then_released_may_be_made_anew() -> None:
    released = Standing(TARGET.key, uid="u-1")

    assert said(seen=seen(standing=released, workload=replace(workload(), uid="u-2"))) == []


def test_a_further_target_that_was_made_anew_asks_by_its_place_where_the_plan_is_about_it() -> None:
    there = Seen(ELSEWHERE, replace(workload(), uid="u-2"), case(), Standing(ELSEWHERE.key))
    both, uids = (*seen(), there), {ELSEWHERE.key: "u-1"}
    too = Plan((*WRITES.changes, change(ELSEWHERE, None)), ())
    reason = f"{ELSEWHERE.place} was deleted, and another one made in its place"

    assert said(seen=both, uids=uids) == []
    assert said(too, seen=both, uids=uids) == caution("made_anew", reason)


def test_what_has_no_uid_is_not_told_as_made_anew() -> None:
    assert said(seen=seen(), uids={TARGET.key: "u-1"}) == []


def test_what_others_set_on_what_is_contained_is_told_where_it_would_be_written_over() -> None:
    """A release restores theirs, and no origin."""
    standing = replace(HELD, origin={"service.ingress": "all"}, applied={"service.ingress": "all"})
    over, mine = (
        Plan((replace(change(TARGET, "none"), before={"service.ingress": before}),), ())
        for before in ("internal", "all")
    )
    theirs = "service.ingress internal, which was all before Firebreak"
    told = caution("origin", f"a release would restore what others set: {theirs}")

    assert said(over, seen=seen(standing=standing)) == CONTAINED + told
    assert said(mine, seen=seen(standing=standing)) == CONTAINED


def test_where_nothing_of_this_incident_stands_an_earlier_plan_of_its_own_asks_nothing() -> None:
    assert said(contained_before=True) == []


def test_a_further_target_counts_where_something_would_be_written_to_it() -> None:
    there = Seen(ELSEWHERE, workload(), case(), replace(HELD, target=ELSEWHERE.key, released_ns=EVENT))
    verified = Plan((*WRITES.changes, change(ELSEWHERE, None)), ())
    written = Plan((*WRITES.changes, change(ELSEWHERE, "none")), ())

    assert said(plan=verified, seen=(*seen(), there)) == []
    assert said(plan=written, seen=(*seen(), there)) == CONTAINED + RELEASED


def test_each_target_that_is_contained_is_told_as_one_of_its_own() -> None:
    """An approval answers for those targets alone that its question was about."""
    there = Seen(ELSEWHERE, workload(), case(), replace(HELD, target=ELSEWHERE.key))
    written = Plan((*WRITES.changes, change(ELSEWHERE, "none")), ())
    caps = caps_for(situation(seen=(*seen(standing=HELD), there)), written, ACTIONS)

    assert [(cap.name, cap.about) for cap in caps] == [("contained", TARGET.key), ("contained", ELSEWHERE.key)]


def test_a_further_target_that_is_protected_counts_where_the_plan_changes_it_or_would_fall_back_to_it() -> None:
    config = replace(situation().config, protected=(Protected(project=Pattern("ops")),))
    other = replace(TARGET, project="ops", project_id="ops", project_number="3")
    both = (*seen(), Seen(other, workload(), case(), Standing(other.key)))
    reason = f"firebreak.yaml protects {other.place}"
    written = replace(WRITES, changes=(*WRITES.changes, change(other, "none")))
    falls_back = replace(WRITES, fallback=(change(other, "none"),))

    assert said(config=config, seen=both) == []
    assert said(written, config=config, seen=both) == caution("protected", reason)
    assert said(falls_back, config=config, seen=both) == caution("protected", reason)
