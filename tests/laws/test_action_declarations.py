"""What every discovered action declares of itself, and what it imports."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import pytest
import yaml

import responders
from firebreak.core.cloud_run.setting_names import IDENTITY, SURFACES
from tests.laws.law_failures import broken, listed

ACTIONS = responders.discover()
ALLOWED = ("__future__", "dataclasses", "typing")
every_action = pytest.mark.parametrize("name", sorted(ACTIONS))


@every_action
def test_an_action_declares_itself(name: str) -> None:
    """Name, kinds, surfaces, countermeasure, permissions, parameters and an example that loads."""
    action = ACTIONS[name]
    example = yaml.safe_load(action.example)
    known = frozenset[str]().union(*SURFACES.values())
    parameters = {field.name for field in dataclasses.fields(action.params)}

    for member in ("kinds", "surfaces", "permissions", "summary", "call", "closes", "undo"):
        assert getattr(action, member), broken(action, member, "is empty: it has to say something")
    assert action.kinds <= SURFACES.keys(), broken(
        action, "kinds", f"names {listed(action.kinds - SURFACES.keys())}; the kinds are {listed(SURFACES)}"
    )
    assert action.surfaces <= known, broken(
        action, "surfaces", f"names {listed(action.surfaces - known)}; the surfaces are {listed(known)}"
    )
    assert re.fullmatch(r"D3-[A-Z]{2,5}", action.countermeasure), broken(
        action, "countermeasure", f"is {action.countermeasure!r}; expected a technique of D3FEND, such as D3-ITF"
    )
    for text in action.leaves_open:
        assert text.rstrip(".") == text != "", broken(
            action, "leaves_open", f"has {text!r}; expected a sentence without its full stop"
        )
    shared = "shared" if IDENTITY in action.surfaces else "workload"
    assert action.reach == shared, broken(
        action, "reach", f"is {action.reach!r}; expected {shared!r}, because of the surfaces {listed(action.surfaces)}"
    )
    assert example.get("action") == name, broken(
        action, "example", f"is {action.example!r}; expected a step with `action: {name}`"
    )
    assert set(example) <= {"action", "accept_irreversible", *parameters}, broken(
        action, "example", f"is {action.example!r}; beside `action` it can have {listed(parameters) or 'nothing'}"
    )


@every_action
def test_an_action_imports_nothing_but_the_core(name: str) -> None:
    """So that drafting cannot write: it has nothing to write with."""
    source = Path(inspect.getfile(type(ACTIONS[name]))).read_text()
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    others = {one for one in imported if one.partition(".")[0] not in ALLOWED and not one.startswith("firebreak.core.")}
    assert not others, broken(
        ACTIONS[name], "edit", f"must be pure, but its file imports {listed(others)}; allowed: firebreak.core, typing"
    )
