"""What stands on a target, method by method: who has to wait for how long, and which setting is whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import RELEASE_NS, WRITING_NS, Hold, Standing, merge_settings
from firebreak.core.containment.plan import HeldStep
from firebreak.core.containment.restoration import required_state
from firebreak.core.errors import AnotherResource

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
    assert Standing(KEY).being_written("b", 0) == ""


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
    standing = earlier.with_pending_write(hold("a"), {"x": 1, "y": 1, "kept": 0}, {"x": 2, "kept": 0}, 40)

    assert standing == Standing(
        KEY,
        origin={"x": 1, "y": 1, "kept": 0},
        applied={"x": 1, "y": 1, "kept": 0},
        pending={"x": 2, "y": None},
        holds=(hold("a"),),
        origin_changed_ns=40,
        released_ns=5,
    )


def test_a_further_hold_makes_what_a_person_changed_part_of_the_origin() -> None:
    first = Standing(KEY, {"x": 1, "y": 1}, {"x": 2, "y": 1}, pending={"z": None}, holds=(hold("a"),), releasing="a")
    standing = first.with_pending_write(hold("b", 2), {"x": 2, "y": 7}, {"x": 3, "y": 7}, 40)

    assert standing.origin == {"x": 1, "y": 7}
    assert standing.applied == {"x": 2, "y": 7}
    assert standing.pending == {"x": 3, "z": None}
    assert standing.holds == (hold("a"), hold("b", 2))
    assert standing.origin_changed_ns is None
    assert standing.releasing == ""


def test_what_is_pending_alone_keeps_the_origin_too() -> None:
    """The first write was begun and its hold is gone: what it may have written is nobody's origin."""
    begun = Standing(KEY, origin={"x": 1}, applied={"x": 1}, pending={"x": 2})

    assert begun.with_pending_write(hold("a"), {"x": 2}, {"x": 3}, 40).origin == {"x": 1}


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


def test_a_hold_that_is_taken_again_asks_for_more_and_forgets_only_what_was_never_seen() -> None:
    cut, pin = HeldStep("cut_traffic", {}), HeldStep("pin", {})
    first = replace(hold("a", steps=(pin,)), unsupported=("x=1",), unknown_keys={"newer": 1})
    again = replace(hold("a", 9, steps=(cut, pin)), unsupported=("y=1",), unseen=True)
    (seen,) = Standing(KEY, holds=(first,)).with_hold(again).holds
    (unseen,) = Standing(KEY, holds=(replace(first, unseen=True),)).with_hold(again).holds
    (then,) = Standing(KEY, holds=(replace(first, unseen=True),)).with_hold(replace(again, unseen=False)).holds

    assert (seen.steps, seen.unsupported, seen.unseen) == ((pin, cut), ("x=1", "y=1"), False)
    assert (unseen.steps, unseen.unseen, then.unseen) == ((cut, pin), True, False)
    assert seen.unknown_keys == {"newer": 1}


def test_what_is_held_and_whole_keeps_its_origin_when_more_is_written() -> None:
    whole = Standing(KEY, {"x": 1}, {"x": 2}, holds=(hold("a"),), unknown_keys={"newer": 1})

    assert whole.with_pending_write(hold("b", 2), {"x": 2}, {"x": 3}, 40).origin == {"x": 1}
    assert whole.with_finished_release("a").unknown_keys == {"newer": 1}


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
    standing = Standing(KEY, {"x": 1}, {"x": 2}, {"x": 1}, (hold("a"),), 3, 4, 5, 6, "a", 7)

    assert standing.with_finished_release("a") == Standing(KEY, released_ns=6, changed_ns=4)


def test_what_was_given_back_of_a_hold_is_not_asked_for_any_more_and_is_no_drift() -> None:
    standing = Standing(KEY, {"x": 1, "y": 1}, {"x": 2, "y": 2}, {"x": 1}, (hold("a"), hold("b", 2)), releasing="a")
    freed = standing.with_released("a", {"x": 1}, 80)

    assert freed == Standing(
        KEY,
        {"x": 1, "y": 1},
        {"x": 1, "y": 2},
        {},
        (Hold("a", (), NONE, 1, ("x",)), hold("b", 2)),
        changed_ns=80,
        releasing="a",
    )
    assert freed.changed_by_others({"x": 1, "y": 2}) == {}


def test_of_several_holds_the_others_stay_with_what_is_in_force() -> None:
    standing = Standing(
        KEY,
        origin={"x": 0},
        applied={"x": 1, "y": 2},
        holds=(hold("a"), hold("b", 2)),
        verified_ns=3,
        changed_ns=4,
        releasing="a",
        releasing_ns=5,
    )

    assert standing.with_finished_release("a") == Standing(
        KEY, {"x": 0}, {"x": 1, "y": 2}, {}, (hold("b", 2),), verified_ns=3, changed_ns=4, releasing_ns=5
    )


def test_drift_is_what_others_changed_and_of_executions_what_runs() -> None:
    """A run that ended is no change of anybody's."""
    applied: State = {"x": 1, "y": 1, "same": 1, "executions.e-1": "cancelled", "executions.e-2": "running"}
    now: State = {"x": 2, "new": 1, "same": 1, "executions.e-3": "running", "executions.e-4": "cancelled"}
    drifted = Standing(KEY, applied=applied, pending={"y": 5}).changed_by_others(now)

    assert list(drifted.items()) == [("executions.e-3", "running"), ("new", 1), ("x", 2), ("y", None)]


def test_a_containment_is_in_effect_once_something_of_it_was_seen_in_force() -> None:
    begun = Standing(KEY, holds=(replace(hold("a"), unseen=True), hold("b", 2)))

    assert [begun.in_effect(one) for one in ("a", "b", "c")] == [False, True, False]


def test_what_is_pending_is_the_last_hold_s_unless_a_release_writes_it() -> None:
    both = Standing(KEY, holds=(hold("a"), hold("b", 2)), pending={"x": 1})

    assert (both.wrote_last("a"), both.wrote_last("b")) == (False, True)
    assert not replace(both, pending={}).wrote_last("b")
    assert not replace(both, releasing="b").wrote_last("b")
    assert not replace(both, holds=()).wrote_last("b")


def test_beside_an_incident_are_the_holds_of_others_and_whose_release_is_written() -> None:
    both = Standing(KEY, holds=(hold("a"), hold("b", 2)))

    assert both.beside("a") == replace(both, holds=(hold("a", 9), hold("b", 2))).beside("a")
    assert both.beside("a") != both.without_hold("b").beside("a")
    assert both.beside("a") != replace(both, releasing="b").beside("a")


@pytest.mark.parametrize(
    "change",
    [
        {"holds": (hold("a"),)},
        {"applied": {"x": 1}},
        {"pending": {"x": 1}},
        {"verified_ns": 1},
        {"releasing": "a"},
        {"released_ns": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_done_to_the_settings_tells_that_something_was_written(change: dict[str, Any]) -> None:
    assert replace(Standing(KEY), **change).written != Standing(KEY).written == Standing(KEY, drift="told").written


def test_traffic_may_lead_to_the_suspects_of_a_hold_that_gave_traffic_back_and_of_no_other() -> None:
    given_back = replace(hold("a", 1, "r-1"), let_go=("service.traffic.split",))
    door = replace(hold("b", 2, "r-2"), let_go=("service.ingress",))

    assert Standing(KEY, holds=(given_back, door, hold("c", 3, "r-3"))).guarded == {"r-2", "r-3"}


def test_what_has_no_uid_yet_is_the_resource_that_was_there_before_the_first_hold() -> None:
    held = Standing(KEY, holds=(hold("b", 9), hold("a", 5)))

    assert held.with_uid("u-1", 4) == replace(held, uid="u-1")
    assert held.with_uid("", None) == held
    assert Standing(KEY, uid="u-0").with_uid("u-1", None) == Standing(KEY, uid="u-1")
    for created_ns in (5, None):
        with pytest.raises(AnotherResource, match="may have been made anew since"):
            held.with_uid("u-1", created_ns)


def test_what_stands_on_another_uid_is_of_a_resource_that_is_gone() -> None:
    held = Standing(KEY, holds=(hold("a", 5),), uid="u-0", released_ns=7, pending={"x": 1})

    assert held.with_uid("u-0", None) == held
    with pytest.raises(AnotherResource, match="was made anew since"):
        held.with_uid("u-1", 1)
    assert [held.is_of_another(uid) for uid in ("u-1", "u-0", "")] == [True, False, False]
    assert not Standing(KEY).is_of_another("u-1")
    assert held.of_resource("u-1") == Standing(KEY, uid="u-1", released_ns=7)
    assert held.of_resource("u-0") == held.of_resource("") == held
    assert Standing(KEY).of_resource("u-1") == Standing(KEY, uid="u-1")
    assert replace(held, holds=()).of_resource("u-1") == Standing(KEY, uid="u-1", released_ns=7)


def test_what_a_containment_was_writing_and_is_there_can_be_undone() -> None:
    """What a release was writing stays as it was: the release looks at it itself."""
    writing = Standing(KEY, applied={"x": 1, "y": 1}, pending={"x": 2, "y": 2}, holds=(hold("a"),))
    there: State = {"x": 2, "y": 1}

    assert writing.with_landed(there) == replace(writing, applied={"x": 2, "y": 1}, pending={"y": 2})
    assert replace(writing, releasing="a").with_landed(there) == replace(writing, releasing="a")


def test_what_a_person_set_before_or_during_a_release_is_origin_and_no_release_writes_it_again() -> None:
    origin, applied, pending = {"x": 1, "y": 1, "z": 1, "w": 1}, {"x": 2, "y": 2, "z": 2, "w": 2}, {"z": 1, "v": 1}
    standing = Standing(KEY, origin, applied, pending, (replace(hold("a"), let_go=("u",)),))
    freed = standing.with_released("a", {"x": 7, "y": 2, "z": 1, "w": 2}, 80, persons=frozenset({"y"}))

    assert freed.origin == {"x": 7, "y": 2, "z": 1, "w": 1}
    assert freed.pending == {"v": 1}
    assert freed.holds[0].let_go == ("u", "w", "x", "y", "z")
    assert standing.with_released("a", {"z": 9}, 80).origin == standing.origin


def test_what_is_left_after_the_last_hold_keeps_what_it_knows_of_other_records() -> None:
    standing = Standing(KEY, holds=(hold("a"),), uid="u-1", place=CASE.target, floors={"halt": 3})

    assert standing.with_finished_release("a") == replace(standing, holds=())


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


class Picky:
    """Sets what it was told that the API does not take."""

    def params(self) -> None:
        """It has none."""

    def edit(self, before: State, case: EditContext, params: None) -> State:  # noqa: ARG002 - as actions are called
        return {**before, "x": ",".join(sorted(case.unsupported))}


@dataclass(frozen=True, slots=True)
class Strict:
    """Takes no parameters any more."""

    fault: type[Exception]

    def params(self, **given: Setting) -> None:
        raise self.fault(given)


ACTIONS = cast(
    "Mapping[str, Responder]",
    {
        "one": Noting("one"),
        "two": Noting("two"),
        "picky": Picky(),
        "strict": Strict(TypeError),
        "stricter": Strict(ValueError),
    },
)
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


def test_what_only_a_hold_that_goes_suspects_is_shut_to_nobody_in_the_fold_of_the_others() -> None:
    standing = Standing(KEY, holds=(hold("a", 1, "r-1", steps=(HeldStep("one", {}),)),))

    assert required_state(standing, replace(CASE, held=frozenset({"r-2"})), ACTIONS) == {"said": "one(r-1;named)"}


def test_what_a_release_gave_back_of_a_hold_is_as_it_was_before_that_hold() -> None:
    steps = (HeldStep("one", {"x": 2, "y": 2}),)
    first, second = (replace(hold(name, at, steps=steps), let_go=("x",)) for name, at in (("a", 1), ("b", 2)))
    stays = replace(second, let_go=())

    assert required_state(Standing(KEY, {"x": 1, "y": 1}, holds=(first,)), CASE, ACTIONS) == {
        "x": 1,
        "y": 2,
        "said": "one(;named)",
    }
    both = required_state(Standing(KEY, {"x": 1, "y": 1}, holds=(first, stays)), CASE, ACTIONS)
    assert not isinstance(both, Refusal)
    assert both["x"] == 2


def test_each_hold_is_folded_with_what_the_api_did_not_take_of_it() -> None:
    steps = (HeldStep("picky", {}),)
    taken = Standing(KEY, holds=(hold("a", steps=steps),))
    not_taken = replace(taken, holds=(replace(taken.holds[0], unsupported=("x=none",)),))

    assert required_state(taken, CASE, ACTIONS) == {"x": ""}
    assert required_state(not_taken, replace(CASE, unsupported=frozenset({"y=1"})), ACTIONS) == {"x": "x=none,y=1"}


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("gone", "there is no such action in this version of Firebreak, or it does not load"),
        ("strict", "it was saved with parameters that the action no longer accepts"),
        ("stricter", "it was saved with parameters that the action no longer accepts"),
    ],
)
def test_a_step_that_this_version_cannot_repeat_refuses_the_fold(action: str, why: str) -> None:
    standing = Standing(KEY, holds=(hold("a", steps=(HeldStep(action, {"deep": 1}),)),))

    assert required_state(standing, CASE, ACTIONS) == Refusal(f"{action} for a: {why}")
