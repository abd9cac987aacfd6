"""What leads to a write to a customer's cloud, read from the source: one module, and before it the gate."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("firebreak", "responders", "enrichment", "main.py")

MOVE = "firebreak/response/move.py"
CALLERS: Mapping[str, set[str]] = {
    # A containing write: one caller, with the pass that it has from the gate's ruling.
    "contain": {"firebreak/response/changes.py:make"},
    "Pass": {"firebreak/response/readings.py:Pass.of"},
    "Pass.of": {"firebreak/response/changes.py:make", "firebreak/response/changes.py:_asked_again"},
    "Ruling": {"firebreak/core/containment/gate.py:gate"},
    "gate": {
        "firebreak/response/decide.py:ruling_on",
        "firebreak/backtest/deciding.py:_ruled",
    },  # the latter to count
    # What every write goes through, there and back: on the same resource, and only over what was there before.
    "_send": {f"{MOVE}:contain", f"{MOVE}:restore"},
    # The way back: what a failed change wrote, and what a release found that Firebreak wrote.
    "restore": {f"{MOVE}:put_back", "firebreak/response/give_back.py:_write"},
    "put_back": {"firebreak/response/changes.py:record_failure", "firebreak/response/give_back.py:_write"},
    "give_back": {"firebreak/response/release.py:_given_back"},
}
"""What leads to a write, and the only functions that may call it."""


@cache
def modules() -> Mapping[str, ast.Module]:
    """Every module of ours but the adapters, which do as they are told."""
    found = [
        path for place in OURS for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    ]
    names = {path.relative_to(ROOT).as_posix(): path for path in found if "adapters" not in path.parts}
    return {name: ast.parse(path.read_text(encoding="utf-8"), name) for name, path in names.items()}


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node, with the name of the function that it stands in, of a method with that of its class."""
    for node in ast.iter_child_nodes(tree):
        inside = within
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{within}.{node.name}".lstrip(".")
        yield inside, node
        yield from functions(node, inside)


def surface_writers(trees: Mapping[str, ast.Module]) -> set[str]:
    """Where a `write` is called, or taken to be called elsewhere."""
    return {
        f"{name}:{inside}"
        for name, tree in trees.items()
        for inside, node in functions(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "write")
        or (isinstance(node, ast.Constant) and node.value == "write")
    }


def users(trees: Mapping[str, ast.Module], what: str) -> set[str]:
    """Where a name is used other than to import it, to say a type, or to call something of it."""
    used = set[str]()
    for name, tree in trees.items():
        types = {id(one) for node in ast.walk(tree) for spot in _types(node) for one in ast.walk(spot)}
        owners = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for inside, node in functions(tree):
            if id(node) in types or id(node) in owners:
                continue
            made = isinstance(node, ast.Call) and _is_made(node, what, inside)
            if made or (_last_name(node) == what.rpartition(".")[2] and f".{ast.unparse(node)}".endswith(f".{what}")):
                used.add(f"{name}:{inside}")
    return used


def _last_name(node: ast.AST) -> str:
    """Of `a.b` it is `b`, of anything but names it is nothing; unparsing every node would take half a minute."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _types(node: ast.AST) -> list[ast.AST]:
    """What is written there as a type."""
    spots = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    return [one for one in spots if one is not None]


def _is_made(call: ast.Call, what: str, inside: str) -> bool:
    """Whether it makes one of that class by another name: as its own constructor, or from another one."""
    made = _last_name(call.func)
    if made == "cls" and isinstance(call.func, ast.Name):
        return inside.startswith(f"{what}.")
    first = ast.unparse(call.args[0]) if made == "replace" and call.args else ""
    return bool(first) and {"Pass": "passed", "Ruling": "ruling"}.get(what) == first


def test_a_surface_is_written_in_one_module_only() -> None:
    assert surface_writers(modules()) == {f"{MOVE}:_send"}


@pytest.mark.parametrize("what", CALLERS)
def test_what_leads_to_a_write_is_called_from_where_the_gate_or_what_stands_was_asked(what: str) -> None:
    assert users(modules(), what) == CALLERS[what]


@pytest.mark.parametrize(
    ("what", "planted"),
    [
        ("contain", "contain(app, held, change, seen, passed, readings)"),
        ("contain", "move.contain(app, held, change, seen, passed, readings)"),
        ("contain", "retry(contain, app)"),
        ("Pass", "Pass(plan.digest, uids, at)"),
        ("Pass", "replace(passed, at=now)"),
        ("Pass.of", "Pass.of(ruling, plan, seen)"),
        ("Ruling", 'Ruling("go", mode, ())'),
        ("Ruling", 'replace(ruling, word="go")'),
        ("gate", 'gate(given, plan, actions, Mode.ENFORCE, None, "")'),
        ("restore", "restore(app, change, workload, readings)"),
        ("put_back", "put_back(app, change, readings)"),
        ("give_back", "give_back(app, target, surface, keys, readings)"),
    ],
)
def test_another_road_is_noticed(what: str, planted: str) -> None:
    trees = {"firebreak/response/short_cut.py": ast.parse(f"def short_cut(app):\n    {planted}\n")}

    assert users(trees, what) - CALLERS[what]


@pytest.mark.parametrize(
    "planted", ["surface.write(change)", "act(surface.write)", 'getattr(surface, "write")(change)']
)
def test_another_writer_is_noticed(planted: str) -> None:
    trees = {"firebreak/response/short_cut.py": ast.parse(f"def short_cut(surface):\n    {planted}\n")}

    assert "firebreak/response/short_cut.py:short_cut" in surface_writers(trees)
