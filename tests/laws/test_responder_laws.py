"""Laws that every discovered action keeps. A new action is under them by existing; a wrong one fails them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import responders
from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.setting_order import loosened_settings, order_of
from firebreak.core.cloud_run.setting_names import IDENTITY, SURFACES, is_final
from firebreak.core.cloud_run.state import State, surface_of
from firebreak.core.cloud_run.target import Kind
from firebreak.core.cloud_run.workload import split_of
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.drafting import draft, fold
from firebreak.core.containment.plan import HeldStep, Plan, apply_change
from firebreak.core.containment.restoration import required_state
from firebreak.core.policy.policy import Step
from firebreak.core.serialization import decode, encode
from tests.laws.giving_back import given_back
from tests.laws.law_failures import before as given_settings
from tests.laws.law_failures import broken, differences, listed
from tests.laws.worlds_of_settings import edits_by_hand, situations, with_every_ingress

ACTIONS = responders.discover()
PAIRS = [(name, kind) for name, action in sorted(ACTIONS.items()) for kind in sorted(action.kinds)]
every_action_on_every_kind = pytest.mark.parametrize(("name", "kind"), PAIRS)


def step_of(name: str, otherwise: tuple[Step, ...] = ()) -> Step:
    return Step(name, ACTIONS[name].params(), otherwise)


def others(kind: Kind) -> st.SearchStrategy[str]:
    """Any action that acts on this kind too."""
    return st.sampled_from([name for name, action in sorted(ACTIONS.items()) if kind in action.kinds])


def _only(state: State, keys: Iterable[str]) -> State:
    return {key: state[key] for key in keys if key in state}


def _differ(first: State | Refusal, again: State | Refusal) -> tuple[str, ...]:
    """How two results differ, either of which may be a refusal."""
    if isinstance(first, Refusal):
        return (f"expected the refusal {first.reason!r}, found {again!r}",)
    return differences(first, again)


def edited(action: Responder, state: State, case: EditContext) -> State | Refusal:
    return action.edit(state, case, action.params())


@every_action_on_every_kind
@given(data=st.data())
def test_drafting_changes_no_input_and_is_a_function(name: str, kind: Kind, data: st.DataObject) -> None:
    """The same settings and case give the same edit, and are left as they were."""
    state, case = data.draw(situations(kind))
    before = dict(state)
    first = edited(ACTIONS[name], state, case)

    again = edited(ACTIONS[name], state, case)

    assert state == before, broken(
        ACTIONS[name], "edit", "changes the settings it is given; return others instead", *differences(before, state)
    )
    assert again == first, broken(
        ACTIONS[name],
        "edit",
        f"gives another result the second time on a {kind}: the first is expected",
        *_differ(first, again),
        given_settings(state),
    )


@every_action_on_every_kind
@given(data=st.data())
def test_an_edit_is_a_fixed_point_of_itself(name: str, kind: Kind, data: st.DataObject) -> None:
    """Applied to its own result an edit changes nothing and refuses nothing."""
    state, case = data.draw(situations(kind))
    once = edited(ACTIONS[name], state, case)
    if not isinstance(once, Refusal):
        twice = edited(ACTIONS[name], once, case)

        assert twice == once, broken(
            ACTIONS[name],
            "edit",
            f"applied to its own result changes it again on a {kind}: it has to find nothing left to do there",
            *differences(once, twice),
            given_settings(state),
        )


@every_action_on_every_kind
@given(data=st.data())
def test_an_edit_stays_on_its_surfaces_and_keeps_traffic_whole(name: str, kind: Kind, data: st.DataObject) -> None:
    """Nothing outside the declared surfaces of this kind differs, and shares still total 100."""
    state, case = data.draw(situations(kind))
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal):
        differ = {key for key in state.keys() | after.keys() if state.get(key) != after.get(key)}

        allowed = ACTIONS[name].surfaces & (SURFACES[kind] | {IDENTITY})
        outside = {key for key in differ if surface_of(key) not in allowed}
        assert not outside, broken(
            ACTIONS[name],
            "edit",
            f"changes what is outside `surfaces`: of a {kind} it declares {listed(allowed) or 'none'}",
            *differences(_only(state, outside), _only(after, outside)),
        )
        assert sum(split_of(after).values()) == sum(split_of(state).values()), broken(
            ACTIONS[name],
            "edit",
            f"leaves shares that do not total {sum(split_of(state).values())}: {split_of(after)}",
            given_settings(state),
        )


@every_action_on_every_kind
@given(data=st.data())
def test_an_edit_never_loosens_and_every_setting_it_may_meet_has_an_order(
    name: str, kind: Kind, data: st.DataObject
) -> None:
    """Nor do two of them, whichever comes first: of services in one region and in several, pools, jobs, accounts."""
    drawn = data.draw(situations(kind))
    pair = data.draw(st.permutations([name, data.draw(others(kind))]))
    unordered = {key for key in drawn[0] if order_of(key) is None}
    assert not unordered, (
        f"firebreak/core/actions/setting_order.py: ORDERS has no order for {listed(unordered)}, which a {kind} has"
    )
    for state, case in with_every_ingress(*drawn):
        after = edited(ACTIONS[name], state, case)
        wider = () if isinstance(after, Refusal) else loosened_settings(state, after, case)
        assert not wider, broken(
            ACTIONS[name],
            "edit",
            f"opens a {kind} further than it was: {listed(wider)}; expected no more open (setting_order.py)",
            *differences(_only(state, wider), _only({} if isinstance(after, Refusal) else after, wider)),
            given_settings(state),
        )
        folded = fold(tuple(step_of(one) for one in pair), state, case, ACTIONS, frozenset())
        assert (wider := loosened_settings(state, folded.state, case)) == (), broken(
            ACTIONS[name],
            "edit",
            f"together, {pair[0]} then {pair[1]} open a {kind} further than it was",
            *differences(_only(state, wider), _only(folded.state, wider)),
            given_settings(state),
        )


@every_action_on_every_kind
@given(data=st.data())
def test_after_folding_every_edit_is_still_a_fixed_point(name: str, kind: Kind, data: st.DataObject) -> None:
    """Steps that undo each other draw no change; all others hold in the folded result, beside any other action."""
    state, case = data.draw(situations(kind))
    names = data.draw(st.permutations([name, data.draw(others(kind))]))
    plan = draft(tuple(step_of(one) for one in names), state, case, ACTIONS)
    result = state
    for change in plan.changes:
        result = apply_change(result, change)
    for held in plan.steps if plan.changes else ():
        again = edited(ACTIONS[held.action], result, case)
        assert again == result, broken(
            ACTIONS[held.action],
            "edit",
            f"does not hold after {names[0]} then {names[1]} on a {kind}: it changes the folded result again",
            *differences(result, again),
            given_settings(state),
        )


@every_action_on_every_kind
@given(data=st.data())
def test_a_plan_survives_storage(name: str, kind: Kind, data: st.DataObject) -> None:
    """What is saved comes back equal, with the same digest."""
    state, case = data.draw(situations(kind))
    plan = draft((step_of(name),), state, case, ACTIONS, policy_set="set")
    loaded = decode(Plan, encode(plan))

    assert (encode(loaded), loaded.digest) == (encode(plan), plan.digest), broken(
        ACTIONS[name], "edit", "gives settings that are not the same when stored: allowed are text, int, bool and None"
    )


@every_action_on_every_kind
@given(data=st.data())
def test_release_restores_key_by_key(name: str, kind: Kind, data: st.DataObject) -> None:
    """Undisturbed, the way back ends at the settings from before the first write, but for what cannot be undone."""
    state, case = data.draw(situations(kind))
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal):
        restored = given_back(after, Standing(case.target.key, state, after), state, case)
        differ = {key for key in state.keys() | after.keys() if restored.state.get(key) != state.get(key)}
        lost = restored.ended("gone")

        unsaid = differ - lost
        assert not unsaid, broken(
            ACTIONS[name],
            "edit",
            f"changes settings of a {kind} that a release does not put back",
            *differences(_only(state, unsaid), _only(restored.state, unsaid)),
        )
        assert differ == lost
        assert not (lost and ACTIONS[name].reversible), broken(
            ACTIONS[name],
            "reversible",
            "is True, but these settings cannot be put back: declare `reversible = False`",
            *differences(_only(state, lost), _only(restored.state, lost)),
        )


@every_action_on_every_kind
@given(data=st.data())
def test_a_human_edit_is_never_overwritten(name: str, kind: Kind, data: st.DataObject) -> None:
    """A setting that no longer equals what was written is a person's: left as it is, reported if in the way."""
    state, case = data.draw(situations(kind))
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal) and after:
        by_hand = data.draw(edits_by_hand(after))
        now = {key: value for key, value in {**after, **by_hand}.items() if value is not None}
        restored = given_back(now, Standing(case.target.key, state, after), state, case)
        theirs = {key for key, value in by_hand.items() if value != after.get(key)}

        expected = {key: by_hand[key] for key in theirs if by_hand[key] is not None}
        found = _only(restored.state, theirs)
        assert found == expected, broken(
            ACTIONS[name],
            "edit",
            f"leads to a release that overwrites a person's edit of a {kind}",
            *differences(expected, found),
            given_settings(state),
        )
        reported = restored.ended("person", "gone")
        silent = {key for key in theirs if after.get(key) != state.get(key) != by_hand[key]} - reported
        assert not silent, broken(
            ACTIONS[name], "edit", f"leads to a release that leaves {listed(silent)} as a person set it, unreported"
        )


@every_action_on_every_kind
@given(data=st.data(), order=st.permutations([0, 1]))
def test_holds_released_in_any_order_end_at_origin(
    name: str, kind: Kind, data: st.DataObject, order: list[int]
) -> None:
    """Taking the holds away one by one, the last one gives the origin back, key by key."""
    state, case = data.draw(situations(kind))
    standing = Standing(case.target.key)
    current = state
    for number, one in enumerate([name, data.draw(others(kind))]):
        after = edited(ACTIONS[one], current, case)
        if isinstance(after, Refusal):
            return
        hold = Hold(f"fb-{number}", (HeldStep(one, {}),), case.suspects, number)
        standing = standing.with_pending_write(hold, current, after, 0).with_confirmed_write(after, number, 0)
        current = after
    for number in order:
        rest = standing.without_hold(f"fb-{number}")
        wanted = required_state(rest, case, ACTIONS)
        if isinstance(wanted, Refusal):
            return
        restored = given_back(current, standing, wanted, case)
        standing = standing.with_released(f"fb-{number}", restored.over, 0).with_finished_release(f"fb-{number}")
        current = restored.state

    expected = {key: value for key, value in state.items() if not is_final(key)}
    found = {key: value for key, value in current.items() if not is_final(key)}
    assert found == expected, broken(
        ACTIONS[name],
        "edit",
        f"released in the order {order} beside another action, a {kind} does not end as it began",
        *differences(expected, found),
        given_settings(state),
    )
