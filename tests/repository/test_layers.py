"""Imports point one way, and no circle is among them: each package has its layer, and a planted fault is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import pytest

from tests.repository.checkout import imports, python_files, text_of

# Each line may import from the lines below it and from its own package. Packages of one line do not see each other,
# but for the last group: entry points and the sandbox, which play together in `firebreak demo`.
LAYERS = (
    ("main", "firebreak.__main__", "firebreak.cli", "sandbox"),
    ("firebreak.bootstrap",),
    ("firebreak.policy_folder",),
    ("firebreak.adapters", "firebreak.backtest", "firebreak.response"),
    ("enrichment", "responders", "firebreak.policy_language", "firebreak.doctor"),
    ("firebreak.ports",),
    ("firebreak.ledger",),
    ("firebreak.settings",),
    ("firebreak.core",),
    ("firebreak",),
)
TOGETHER = frozenset(LAYERS[0])
HEIGHT = {room: height for height, rooms in enumerate(reversed(LAYERS)) for room in rooms}
OUTSIDE = ("tests/", "tools/", "benchmarks/", "terraform/")


def module_of(path: str) -> str:
    """`firebreak/core/mode.py` is `firebreak.core.mode`, and a package is known by its folder."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def room_of(module: str) -> str | None:
    """The longest name in the table that the module lies in; None for what is not ours."""
    rooms = [room for room in HEIGHT if module == room or module.startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


def wrong(module: str, imported: Iterable[str]) -> set[str]:
    """What a module imports and must not: from above, or from a neighbour on its own layer."""
    own = room_of(module)
    assert own is not None, f"{module} has no layer: put it into LAYERS on purpose"
    found = {name: room for name in imported if (room := room_of(name)) is not None}
    return {
        name
        for name, room in found.items()
        if HEIGHT[room] > HEIGHT[own] or (HEIGHT[room] == HEIGHT[own] and room != own and own not in TOGETHER)
    }


def graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Module to the modules of ours that it imports, for annotations too, wherever in the file."""
    made = {}
    for module, text in sources.items():
        names = {name if name in sources else name.rpartition(".")[0] for name in imports(text)}
        made[module] = {name for name in names if name in sources and name != module}
    return made


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """One circle of imports as a path, empty if there is none."""
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for name in sorted(edges.get(module, ())):
            if found := walk(name, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(edges) if (found := walk(module, []))), [])


@cache
def sources() -> Mapping[str, str]:
    """Every module of ours that is not a tool or a test, with its text."""
    return {module_of(path): text_of(path) for path in python_files() if not path.startswith(OUTSIDE)}


@pytest.mark.parametrize("module", sources())
def test_imports_point_one_way(module: str) -> None:
    assert wrong(module, imports(sources()[module])) == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(graph(sources())) == []


@pytest.mark.parametrize("module", [one for one in sources() if room_of(one) in {"responders", "enrichment"}])
def test_an_action_or_a_source_knows_the_core_and_its_contract_alone(module: str) -> None:
    rooms = {room_of(name) for name in imports(sources()[module])} - {None}

    assert rooms <= {"firebreak.core", "firebreak.ports", room_of(module)}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("firebreak.core.mode", "from firebreak.response.contain import contain"),
        ("firebreak.core.mode", "import firebreak.settings"),
        ("firebreak.ledger.ledger", "from firebreak.ports.deadline import Deadline"),
        ("firebreak.response.move", "from firebreak.adapters.webhook import post"),
        ("firebreak.adapters.webhook", "from firebreak.response.contain import contain"),
        ("firebreak.response.move", "from firebreak.bootstrap import build"),
        ("responders.suspend", "from firebreak.policy_language.lint.lint import lint"),
    ],
)
def test_a_planted_import_from_above_is_found_even_inside_a_function(module: str, line: str) -> None:
    planted = f"def late():\n    {line}\n"

    assert wrong(module, imports(planted))


@pytest.mark.parametrize("annotation_only", [False, True])
def test_a_planted_circle_is_found_also_where_it_is_for_annotations_alone(*, annotation_only: bool) -> None:
    """A module that imports no other of ours is given an import of one that needs it."""
    edges = graph(sources())
    used = frozenset[str]().union(*edges.values())
    lowest = next(module for module in sorted(used) if not edges[module])
    above = next(module for module in sorted(edges) if lowest in edges[module])
    back = f"import {above}\n"
    back = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {back}" if annotation_only else back

    assert circle(graph({**sources(), lowest: back}))
