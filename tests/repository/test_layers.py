"""Imports point inwards: from the entry points to the stages, to the rooms, to the core."""

from __future__ import annotations

import ast

import pytest

from tests.repository.checkout import imports, python_files, text_of

# Each line may import from the lines below it, and from its own.
LAYERS = (
    ("main", "cli", "commands", "sandbox", "screens"),
    ("pipeline", "stages", "app"),
    ("enrichment", "responders", "adapters", "ledger", "records", "documents", "policy_folder", "settings"),
    ("core",),
)
HEIGHT = {room: height for height, rooms in enumerate(reversed(LAYERS)) for room in rooms}


def room_of(path: str) -> str:
    """`core/plan.py` is in `core`, and `ledger.py` is a room of its own."""
    return path.partition("/")[0].removesuffix(".py")


def at_run_time(text: str) -> str:
    """The source without what is imported for annotations alone."""
    tree = ast.parse(text)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    return ast.unparse(tree)


@pytest.mark.parametrize("path", [path for path in python_files() if room_of(path) in HEIGHT])
def test_imports_point_inwards(path: str) -> None:
    rooms = {name.partition(".")[0] for name in imports(at_run_time(text_of(path)))}
    outwards = {room for room in rooms if HEIGHT.get(room, 0) > HEIGHT[room_of(path)]}

    assert outwards == set()


@pytest.mark.parametrize("path", [path for path in python_files() if room_of(path) in {"responders", "enrichment"}])
def test_an_action_or_a_source_knows_the_core_and_its_own_room_alone(path: str) -> None:
    rooms = {name.partition(".")[0] for name in imports(at_run_time(text_of(path)))} & HEIGHT.keys()

    assert rooms <= {"core", room_of(path)}


def test_every_room_has_its_place() -> None:
    """A new folder is put somewhere on purpose."""
    rooms = {room_of(path) for path in python_files()} - {"tests", "tools", "benchmarks", "terraform"}

    assert rooms == HEIGHT.keys()
