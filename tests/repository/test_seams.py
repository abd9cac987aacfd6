"""What pytest-mock is for: the seams of libraries that no fake reaches, and nothing of our own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.repository.checkout import python_files, text_of

OWN = ("benchmarks", "enrichment", "firebreak", "main", "responders", "sandbox", "tests", "tools")


def misuses(text: str) -> Iterator[str]:
    """Everything done with `mocker` but replacing a library's function, named by text; scripted objects above all."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "mocker":
            if node.attr != "patch":
                yield f"mocker.{node.attr}"
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "mocker.patch":
            yield f"mocker.patch.{node.attr}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "mocker.patch":
            named = node.args[0] if node.args else None
            target = named.value if isinstance(named, ast.Constant) else None
            if not isinstance(target, str) or target.partition(".")[0] in OWN:
                yield ast.unparse(node)


def test_mocker_replaces_functions_of_libraries_alone() -> None:
    """A file system that refuses, a clock, a signal, a client that fails. Of our own code fakes take the place."""
    tests = {path: text_of(path) for path in python_files("tests/")}
    found = {path: wrong for path, text in tests.items() if (wrong := sorted(misuses(text)))}

    assert found == {}
    assert any("mocker.patch(" in text for text in tests.values())


@pytest.mark.parametrize(
    "text",
    [
        "mocker.patch('firebreak.response.pipeline.sweep')",
        "mocker.patch(name)",
        "mocker.patch()",
        "mocker.patch.object(pipeline, 'sweep')",
        "mocker.Mock()",
        "mocker.spy(os, 'link')",
    ],
)
def test_a_misuse_is_found(text: str) -> None:
    assert list(misuses(text))


def test_a_use_is_none() -> None:
    assert list(misuses("mocker.patch('os.link', side_effect=PermissionError)")) == []
