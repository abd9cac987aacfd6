"""Laws that every discovered action keeps. A new action is under them by existing; a wrong one fails them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import responders
from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.setting_order import is_ordered, loosened
from firebreak.core.cloud_run.setting_names import IDENTITY, SURFACES, is_final
from firebreak.core.cloud_run.state import State, surface_of
from firebreak.core.cloud_run.target import Kind
from firebreak.core.cloud_run.workload import split_of
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.drafting import draft, fold
from firebreak.core.containment.plan import HeldStep, Plan, overlaid
from firebreak.core.containment.restoration import restoration, should_stand
from firebreak.core.policy.policy import Step
from firebreak.core.serialization import decode, encode
from tests.laws.worlds_of_settings import edits_by_hand, situations

ACTIONS = responders.discover()
PAIRS = [(name, kind) for name, action in sorted(ACTIONS.items()) for kind in sorted(action.kinds)]
every_action = pytest.mark.parametrize("name", sorted(ACTIONS))
every_action_on_every_kind = pytest.mark.parametrize(("name", "kind"), PAIRS)


def step_of(name: str, otherwise: tuple[Step, ...] = ()) -> Step:
    return Step(name, ACTIONS[name].params(), otherwise)


def others(kind: Kind) -> st.SearchStrategy[str]:
    """Any action that acts on this kind too."""
    return st.sampled_from([name for name, action in sorted(ACTIONS.items()) if kind in action.kinds])


def edited(action: Responder, state: State, case: EditContext) -> State | Refusal:
    return action.edit(state, case, action.params())


@every_action
def test_an_action_declares_itself(name: str) -> None:
    """Name, kinds, surfaces, countermeasure, permissions, parameters and an example that loads."""
    action = ACTIONS[name]
    example = yaml.safe_load(action.example)

    assert action.name == name
    assert action.kinds
    assert action.surfaces
    assert re.fullmatch(r"D3-[A-Z]{2,5}", action.countermeasure)
    assert action.permissions
    assert action.call
    assert action.closes
    assert action.undo
    assert all(text and not text.endswith(".") for text in action.leaves_open)
    assert action.reach in ("workload", "shared")
    assert dataclasses.is_dataclass(action.params)
    assert example.pop("action") == name
    assert set(example) <= {"accept_irreversible", *(field.name for field in dataclasses.fields(action.params))}


@every_action
def test_an_action_imports_nothing_but_the_core(name: str) -> None:
    """So that drafting cannot write: it has nothing to write with."""
    source = Path(inspect.getfile(type(ACTIONS[name]))).read_text()
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert {name.partition(".")[0] for name in imported} <= {"__future__", "dataclasses", "firebreak", "typing"}


@every_action_on_every_kind
@given(data=st.data())
def test_drafting_changes_no_input_and_is_a_function(name: str, kind: Kind, data: st.DataObject) -> None:
    """The same settings and case give the same edit, and are left as they were."""
    state, case = data.draw(situations(kind))
    before = dict(state)
    first = edited(ACTIONS[name], state, case)

    assert edited(ACTIONS[name], state, case) == first
    assert state == before


@every_action_on_every_kind
@given(data=st.data())
def test_an_edit_is_a_fixed_point_of_itself(name: str, kind: Kind, data: st.DataObject) -> None:
    """Applied to its own result an edit changes nothing and refuses nothing."""
    state, case = data.draw(situations(kind))
    once = edited(ACTIONS[name], state, case)
    if not isinstance(once, Refusal):
        assert edited(ACTIONS[name], once, case) == once


@every_action_on_every_kind
@given(data=st.data())
def test_an_edit_stays_on_its_surfaces_and_keeps_traffic_whole(name: str, kind: Kind, data: st.DataObject) -> None:
    """Nothing outside the declared surfaces of this kind differs, and shares still total 100."""
    state, case = data.draw(situations(kind))
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal):
        differ = {key for key in state.keys() | after.keys() if state.get(key) != after.get(key)}

        assert {surface_of(key) for key in differ} <= ACTIONS[name].surfaces & (SURFACES[kind] | {IDENTITY})
        assert sum(split_of(after).values()) == sum(split_of(state).values())


@every_action_on_every_kind
@given(data=st.data())
def test_an_edit_never_loosens_and_every_setting_it_may_meet_has_an_order(
    name: str, kind: Kind, data: st.DataObject
) -> None:
    """Nor do two of them, whichever comes first: of services in one region and in several, pools, jobs, accounts."""
    state, case = data.draw(situations(kind))
    after = edited(ACTIONS[name], state, case)
    pair = data.draw(st.permutations([name, data.draw(others(kind))]))
    folded = fold(tuple(step_of(one) for one in pair), state, case, ACTIONS, frozenset())

    assert all(is_ordered(key) for key in state)
    assert isinstance(after, Refusal) or loosened(state, after, case) == ()
    assert loosened(state, folded.state, case) == ()


@every_action_on_every_kind
@given(data=st.data())
def test_after_folding_every_edit_is_still_a_fixed_point(name: str, kind: Kind, data: st.DataObject) -> None:
    """Steps that undo each other draw no change; all others hold in the folded result, beside any other action."""
    state, case = data.draw(situations(kind))
    names = data.draw(st.permutations([name, data.draw(others(kind))]))
    plan = draft(tuple(step_of(one) for one in names), state, case, ACTIONS)
    result = state
    for change in plan.changes:
        result = overlaid(result, change)
    for held in plan.steps if plan.changes else ():
        assert edited(ACTIONS[held.action], result, case) == result


@every_action_on_every_kind
@given(data=st.data())
def test_a_plan_survives_storage(name: str, kind: Kind, data: st.DataObject) -> None:
    """What is saved comes back equal, with the same digest."""
    state, case = data.draw(situations(kind))
    plan = draft((step_of(name),), state, case, ACTIONS, policy_set="set")
    loaded = decode(Plan, encode(plan))

    assert encode(loaded) == encode(plan)
    assert loaded.digest == plan.digest


@every_action_on_every_kind
@given(data=st.data())
def test_release_restores_key_by_key(name: str, kind: Kind, data: st.DataObject) -> None:
    """Undisturbed, the way back ends at the settings from before the first write, but for what cannot be undone."""
    state, case = data.draw(situations(kind))
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal):
        restored = restoration(after, Standing(case.target.key, state, after), state)
        differ = {key for key in state.keys() | after.keys() if restored.state.get(key) != state.get(key)}

        assert differ == set(restored.lost)
        assert not (restored.lost and ACTIONS[name].reversible)


@every_action_on_every_kind
@given(data=st.data())
def test_a_human_edit_is_never_overwritten(name: str, kind: Kind, data: st.DataObject) -> None:
    """A setting that no longer equals what was written is a person's: left as it is, reported if in the way."""
    state, case = data.draw(situations(kind))
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal) and after:
        by_hand = data.draw(edits_by_hand(after))
        now = {key: value for key, value in {**after, **by_hand}.items() if value is not None}
        restored = restoration(now, Standing(case.target.key, state, after), state)
        theirs = {key for key, value in by_hand.items() if value != after.get(key)}

        assert {key: restored.state.get(key) for key in theirs} == {key: by_hand[key] for key in theirs}
        assert set(restored.left_alone) | set(restored.lost) >= {
            key for key in theirs if after.get(key) != state.get(key) != by_hand[key]
        }


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
        standing = standing.holding(hold, current, after).confirmed(after, number, 0)
        current = after
    for number in order:
        rest = standing.without(f"fb-{number}")
        wanted = should_stand(rest, case, ACTIONS)
        if isinstance(wanted, Refusal):
            return
        current = restoration(current, standing, wanted).state
        standing = dataclasses.replace(rest, applied=current)

    assert {key: value for key, value in current.items() if not is_final(key)} == {
        key: value for key, value in state.items() if not is_final(key)
    }
