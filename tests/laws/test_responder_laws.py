"""Laws that every discovered action keeps. A new action is under them by existing; a wrong one fails them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import responders
from core.action import Refusal, Responder, State, surface_of
from core.case import Case
from core.codec import decode, encode
from core.plan import HeldStep, Plan, draft, overlaid
from core.policy import Step
from core.standing import Hold, Standing, restoration, should_stand
from core.workload import INGRESS, split_of
from tests.laws.worlds_of_settings import situations

ACTIONS = responders.discover()
every_action = pytest.mark.parametrize("name", sorted(ACTIONS))


def step_of(name: str, otherwise: tuple[Step, ...] = ()) -> Step:
    return Step(name, ACTIONS[name].params(), otherwise)


def edited(action: Responder, state: State, case: Case) -> State | Refusal:
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
    assert action.reach in ("workload", "shared")
    assert dataclasses.is_dataclass(action.params)
    assert example.pop("action") == name
    assert set(example) <= {field.name for field in dataclasses.fields(action.params)}


@every_action
def test_an_action_imports_nothing_but_the_core(name: str) -> None:
    """So that drafting cannot write: it has nothing to write with."""
    source = Path(inspect.getfile(type(ACTIONS[name]))).read_text()
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert {name.partition(".")[0] for name in imported} <= {"__future__", "core", "dataclasses", "typing"}


@every_action
@given(situation=situations())
def test_drafting_changes_no_input_and_is_a_function(name: str, situation: tuple[State, Case]) -> None:
    """The same settings and case give the same edit, and are left as they were."""
    state, case = situation
    before = dict(state)
    first = edited(ACTIONS[name], state, case)

    assert edited(ACTIONS[name], state, case) == first
    assert state == before


@every_action
@given(situation=situations())
def test_an_edit_is_a_fixed_point_of_itself(name: str, situation: tuple[State, Case]) -> None:
    """Applied to its own result an edit changes nothing and refuses nothing."""
    state, case = situation
    once = edited(ACTIONS[name], state, case)
    if not isinstance(once, Refusal):
        assert edited(ACTIONS[name], once, case) == once


@every_action
@given(situation=situations())
def test_an_edit_stays_on_its_surfaces_and_keeps_traffic_whole(name: str, situation: tuple[State, Case]) -> None:
    """Nothing outside the declared surfaces differs, and shares still total 100."""
    state, case = situation
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal):
        differ = {key for key in state.keys() | after.keys() if state.get(key) != after.get(key)}

        assert {surface_of(key) for key in differ} <= ACTIONS[name].surfaces
        assert sum(split_of(after).values()) == 100


@pytest.mark.parametrize("names", list(itertools.product(sorted(ACTIONS), repeat=2)))
@given(situation=situations())
def test_after_folding_every_edit_is_still_a_fixed_point(names: tuple[str, str], situation: tuple[State, Case]) -> None:
    """Steps that undo each other draw no change; all others hold in the folded result."""
    state, case = situation
    plan = draft(tuple(step_of(name) for name in names), state, case, ACTIONS)
    result = state
    for change in plan.changes:
        result = overlaid(result, change)
    for held in plan.steps if plan.changes else ():
        assert edited(ACTIONS[held.action], result, case) == result


@every_action
@given(situation=situations())
def test_a_plan_survives_storage(name: str, situation: tuple[State, Case]) -> None:
    """What is saved comes back equal, with the same digest."""
    state, case = situation
    plan = draft((step_of(name),), state, case, ACTIONS, policy_set="set")
    loaded = decode(Plan, encode(plan))

    assert encode(loaded) == encode(plan)
    assert loaded.digest == plan.digest


@every_action
@given(situation=situations())
def test_release_restores_key_by_key(name: str, situation: tuple[State, Case]) -> None:
    """Undisturbed, the way back ends at the settings from before the first write."""
    state, case = situation
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal):
        assert restoration(after, Standing(case.target.key, state, after), state).state == state


@every_action
@given(situation=situations(), ingress=st.sampled_from(["all", "internal", "none"]))
def test_a_human_edit_is_never_overwritten(name: str, situation: tuple[State, Case], ingress: str) -> None:
    """A setting that no longer equals what was written is a person's: left as it is, reported if in the way."""
    state, case = situation
    after = edited(ACTIONS[name], state, case)
    if not isinstance(after, Refusal) and after[INGRESS] != ingress:
        by_hand = {**after, INGRESS: ingress}
        restored = restoration(by_hand, Standing(case.target.key, state, after), state)

        assert restored.state[INGRESS] == ingress
        assert (INGRESS in restored.left_alone) == (after[INGRESS] != state[INGRESS] and state[INGRESS] != ingress)


@pytest.mark.parametrize("names", list(itertools.combinations_with_replacement(sorted(ACTIONS), 2)))
@given(situation=situations(), order=st.permutations([0, 1]))
def test_holds_released_in_any_order_end_at_origin(
    names: tuple[str, str], situation: tuple[State, Case], order: list[int]
) -> None:
    """Taking the holds away one by one, the last one gives the origin back, key by key."""
    state, case = situation
    standing = Standing(case.target.key)
    current = state
    for number, name in enumerate(names):
        after = edited(ACTIONS[name], current, case)
        if isinstance(after, Refusal):
            return
        hold = Hold(f"fb-{number}", (HeldStep(name, {}),), case.suspects, number)
        standing = standing.holding(hold, current, after).confirmed(after, number, 0)
        current = after
    for number in order:
        rest = standing.without(f"fb-{number}")
        wanted = should_stand(rest, case, ACTIONS)
        if isinstance(wanted, Refusal):
            return
        current = restoration(current, standing, wanted).state
        standing = dataclasses.replace(rest, applied=current)

    assert current == state
