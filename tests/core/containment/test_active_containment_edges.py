"""What stands on a target, method by method: who has to wait for how long, and which setting is whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.setting_names import INGRESS, SPLIT
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import (
    RELEASE_NS,
    WRITING_NS,
    AnotherResource,
    Hold,
    Standing,
    merge_settings,
)
from firebreak.core.containment.plan import HeldStep
from firebreak.core.containment.restoration import required_state

NONE: frozenset[str] = frozenset()
KEY = "p/l/service/svc"


def hold(incident: str, taken_ns: int = 1, *suspects: str, steps: tuple[HeldStep, ...] = ()) -> Hold:
    return Hold(incident, steps, frozenset(suspects), taken_ns)


def test_a_hold_is_of_its_own_incident_and_of_no_other() -> None:
    both = Standing(KEY, holds=(hold("a", 1, "r-1"), hold("b", 2, "r-2")))
    one = both.without_hold("b")

    assert both.suspects == {"r-1", "r-2"}
    assert (both.held_by("a"), both.held_by("c")) == (True, False)
    assert (both.held_by_others("a"), one.held_by_others("a"), one.held_by_others("c")) == (True, False, True)
    assert one.holds == (hold("a", 1, "r-1"),)


@pytest.mark.parametrize(
    ("incident", "later_ns", "told"),
    [
        ("b", RELEASE_NS - 1, "the release of a"),
        ("b", RELEASE_NS, ""),
        ("a", 0, ""),
    ],
)
def test_a_release_has_others_wait_for_ten_minutes(incident: str, later_ns: int, told: str) -> None:
    standing = Standing(KEY, releasing="a", releasing_ns=100)

    assert standing.being_written(incident, 100 + later_ns) == told
    assert standing.being_released(incident, 100 + later_ns) is bool(told)
    assert not Standing(KEY).being_released("b", 0)


@pytest.mark.parametrize(
    ("incident", "later_ns", "told"),
    [
        ("a", WRITING_NS - 1, "the containment of b"),
        ("a", WRITING_NS, ""),
        ("b", 0, ""),
    ],
)
def test_the_containment_that_is_being_written_last_has_others_wait_for_two_minutes(
    incident: str, later_ns: int, told: str
) -> None:
    holds = (hold("a", 50), hold("b", 100))
    standing = Standing(KEY, holds=holds, pending={"service.ingress": "none"})

    assert standing.being_written(incident, 100 + later_ns) == told
    assert Standing(KEY, holds=holds[1:], pending=standing.pending).being_written("a", 100) == "the containment of b"
    assert Standing(KEY, holds=holds).being_written("a", 100) == ""
    assert Standing(KEY, pending={"service.ingress": "none"}).being_written("a", 100) == ""


def test_a_setting_is_firebreaks_if_it_wrote_it_or_may_have() -> None:
    standing = Standing(KEY, applied={"x": 1, "z": 3}, pending={"x": 2, "y": None})

    assert [standing.is_as_written("x", value) for value in (1, 2, 3, None)] == [True, True, False, False]
    assert [standing.is_as_written("y", value) for value in (None, 1)] == [True, False]
    assert [standing.is_as_written("z", value) for value in (3, None)] == [True, False]
    assert standing.is_as_written("unheard of", None)


def test_the_first_hold_takes_the_settings_before_it_as_the_origin() -> None:
    """Whatever an earlier standing, released since, remembered."""
    earlier = Standing(KEY, origin={"x": 9}, applied={"x": 1}, released_ns=5, releasing="old")
    standing = earlier.with_pending_write(hold("a"), {"x": 1, "y": 1, "kept": 0}, {"x": 2, "kept": 0}, 4)

    assert standing == Standing(
        KEY,
        origin={"x": 1, "y": 1, "kept": 0},
        applied={"x": 1, "y": 1, "kept": 0},
        pending={"x": 2, "y": None},
        holds=(hold("a"),),
        origin_changed_ns=4,
        released_ns=5,
    )


def test_a_further_hold_makes_what_a_person_changed_part_of_the_origin() -> None:
    first = Standing(KEY, {"x": 1, "y": 1}, {"x": 2, "y": 1}, holds=(hold("a"),), origin_changed_ns=4, releasing="a")
    standing = first.with_pending_write(hold("b", 2), {"x": 2, "y": 7}, {"x": 3, "y": 7}, 9)

    assert standing.origin == {"x": 1, "y": 7}
    assert standing.applied == {"x": 2, "y": 7}
    assert standing.pending == {"x": 3}
    assert standing.holds == (hold("a"), hold("b", 2))
    assert standing.releasing == ""
    assert standing.origin_changed_ns == 4


def test_what_is_pending_alone_keeps_the_origin_too() -> None:
    """The first write was begun and its hold is gone: what it may have written is nobody's origin."""
    begun = Standing(KEY, origin={"x": 1}, applied={"x": 1}, pending={"x": 2})

    assert begun.with_pending_write(hold("a"), {"x": 2}, {"x": 3}, 9).origin == {"x": 1}


def test_adopting_takes_over_what_a_person_set_added_and_removed_and_forgets_what_was_pending_there() -> None:
    standing = Standing(
        KEY,
        origin={"x": 1, "gone": 1},
        applied={"x": 2, "gone": 2, "ours": 1},
        pending={"x": 3, "ours": 2},
        holds=(hold("a"),),
    )
    adopted = standing.with_changes_by_others({"x": 9, "new": 1, "ours": 2})

    assert adopted.origin == {"x": 9, "new": 1}
    assert adopted.applied == {"x": 9, "new": 1, "ours": 1}
    assert adopted.pending == {"ours": 2}
    assert adopted.holds == standing.holds


def test_a_hold_that_is_taken_again_keeps_its_place_its_time_and_its_suspects() -> None:
    steps = (HeldStep("cut_traffic", {}),)
    both = Standing(KEY, holds=(hold("a", 1, "r-1"), hold("b", 2)))
    again = both.with_hold(hold("a", 9, "r-2", steps=steps))

    assert again.holds == (hold("a", 1, "r-1", "r-2", steps=steps), hold("b", 2))
    assert again.pending == {}


def test_confirming_applies_of_what_is_pending_what_is_in_force() -> None:
    standing = Standing(
        KEY, applied={"x": 1, "y": 1, "z": 1}, pending={"x": 2, "y": None, "z": 2}, drift="told", releasing="a"
    )
    confirmed = standing.with_confirmed_write({"x": 2, "z": 9}, 50, 40)

    assert confirmed == Standing(KEY, applied={"x": 2, "z": 1}, verified_ns=50, changed_ns=40, releasing="a")


def test_a_release_that_is_being_written_is_pending_beside_what_was() -> None:
    standing = Standing(KEY, pending={"x": 2}, holds=(hold("a"),))

    assert standing.with_pending_release("a", {"y": None}, 70) == Standing(
        KEY, pending={"x": 2, "y": None}, holds=(hold("a"),), releasing="a", releasing_ns=70
    )


def test_of_the_last_hold_nothing_is_left_but_when_it_was_released_and_changed() -> None:
    """And whose name and identity it was, so that the next hold is known to be on the same resource."""
    standing = Standing(KEY, {"x": 1}, {"x": 2}, {"x": 1}, (hold("a"),), 3, 4, 5, 6, "a", 7, uid="u-1")

    assert standing.with_finished_release("a") == Standing(KEY, released_ns=6, changed_ns=4, uid="u-1")


def test_what_a_release_gives_back_is_applied_and_its_hold_lets_go_of_it() -> None:
    """So that nothing of it counts as drift, while the rest of the hold is still held."""
    standing = Standing(
        KEY, applied={"x": 2, "y": 2}, pending={"x": 1, "y": 1}, holds=(hold("a"), hold("b", 2)), changed_ns=4
    )
    given_back = standing.with_released("a", {"x": 1, "gone": None}, 80)

    assert given_back == Standing(
        KEY,
        applied={"x": 1, "y": 2},
        pending={"y": 1},
        holds=(replace(hold("a"), let_go=("gone", "x")), hold("b", 2)),
        changed_ns=80,
    )
    assert given_back.changed_by_others({"x": 1, "y": 2}) == {}


def test_a_hold_whose_traffic_was_given_back_guards_its_suspects_no_more() -> None:
    both = Standing(KEY, holds=(hold("a", 1, "r-1"), hold("b", 2, "r-2")))

    assert both.guarded == {"r-1", "r-2"}
    assert both.with_released("a", {SPLIT: "r-1=100"}, 3).guarded == {"r-2"}
    assert both.with_released("a", {INGRESS: "all"}, 3).guarded == {"r-1", "r-2"}


def test_of_several_holds_the_others_stay_with_what_is_in_force() -> None:
    standing = Standing(
        KEY,
        origin={"x": 0},
        applied={"x": 1, "y": 2},
        holds=(hold("a"), hold("b", 2)),
        verified_ns=3,
        changed_ns=80,
        releasing="a",
        releasing_ns=5,
    )

    assert standing.with_finished_release("a") == Standing(
        KEY, {"x": 0}, {"x": 1, "y": 2}, {}, (hold("b", 2),), verified_ns=3, changed_ns=80, releasing_ns=5
    )


@pytest.mark.parametrize(
    ("kept", "read", "created_ns", "is_it"),
    [
        ("u-1", "u-1", 9, True),
        ("u-1", "u-2", 0, False),
        ("", "u-1", 4, True),
        ("", "u-1", 5, False),
        ("", "u-1", None, False),
        ("u-1", "", 0, False),
    ],
)
def test_what_stands_is_of_the_resource_with_that_identity_or_of_one_that_was_there_before_the_hold(
    kept: str, read: str, created_ns: int | None, *, is_it: bool
) -> None:
    standing = Standing(KEY, holds=(hold("a", 5), hold("b", 9)), uid=kept)

    if is_it:
        assert standing.with_uid(read, created_ns).uid == read
    else:
        with pytest.raises(AnotherResource, match="made anew"):
            standing.with_uid(read, created_ns)
    assert replace(standing, holds=()).with_uid(read, created_ns).uid == read


def test_what_was_held_of_a_resource_that_is_gone_is_over() -> None:
    standing = Standing(KEY, {"x": 1}, {"x": 2}, holds=(hold("a"),), released_ns=6, uid="u-1")

    assert standing.of_resource("u-2") == Standing(KEY, released_ns=6, uid="u-2")
    assert standing.of_resource("u-1") == standing.of_resource("") == standing
    assert replace(standing, uid="").of_resource("u-2") == replace(standing, uid="u-2")


def test_drift_is_what_others_changed_and_of_executions_what_runs() -> None:
    """A run that ended is no change of anybody's."""
    applied: State = {"x": 1, "y": 1, "same": 1, "executions.e-1": "cancelled", "executions.e-2": "running"}
    now: State = {"x": 2, "new": 1, "same": 1, "executions.e-3": "running", "executions.e-4": "cancelled"}
    drifted = Standing(KEY, applied=applied, pending={"y": 5}).changed_by_others(now)

    assert list(drifted.items()) == [("executions.e-3", "running"), ("new", 1), ("x", 2), ("y", None)]


def test_settings_are_laid_over_others_and_none_unsets() -> None:
    assert merge_settings({"x": 1, "y": 1}, {"y": None, "z": 2, "w": None}) == {"x": 1, "z": 2}


@dataclass(frozen=True, slots=True)
class Noting:
    """Notes its word and the suspects that it saw; refuses where a setting says so."""

    word: str

    @property
    def params(self) -> type[dict[str, Any]]:
        return dict

    def edit(self, before: State, case: EditContext, params: dict[str, Setting]) -> State | Refusal:
        if before.get("refuse") == self.word:
            return Refusal("it says so")
        seen = f"{before.get('said', '')}{self.word}({','.join(sorted(case.suspects))};{case.suspicion.rule})"
        return {**before, "said": seen, **params}


ACTIONS = cast("Mapping[str, Responder]", {"one": Noting("one"), "two": Noting("two")})
CASE = EditContext(Target("p", "l", "service", "svc"), Suspicion("unplaced", NONE, "why"), (), None, NONE)


def test_holds_are_folded_over_the_origin_in_the_order_in_which_they_were_taken_and_see_all_suspects() -> None:
    later = hold("b", 2, "r-2", steps=(HeldStep("two", {"deep": 1}), HeldStep("one", {})))
    standing = Standing(
        KEY, origin={"x": 1}, applied={"x": 9}, holds=(later, hold("a", 1, "r-1", steps=(HeldStep("one", {}),)))
    )
    seen = "(r-1,r-2;named)"

    assert required_state(standing, CASE, ACTIONS) == {"x": 1, "said": f"one{seen}two{seen}one{seen}", "deep": 1}


def test_an_edit_that_refuses_in_the_fold_is_told_with_its_hold() -> None:
    standing = Standing(KEY, origin={"refuse": "two"}, holds=(hold("a", steps=(HeldStep("two", {}),)),))

    assert required_state(standing, CASE, ACTIONS) == Refusal("two for a: it says so")


def test_what_a_release_has_given_back_is_not_asked_for_any_more_in_the_fold() -> None:
    let_go = replace(hold("a", steps=(HeldStep("one", {"deep": 1, "x": 2}),)), let_go=("x",))
    standing = Standing(KEY, origin={"x": 1}, holds=(let_go,))

    assert required_state(standing, CASE, ACTIONS) == {"x": 1, "said": "one(;named)", "deep": 1}
