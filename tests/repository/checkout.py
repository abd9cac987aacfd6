"""What stands in the checkout: its tracked files, and what a Python file imports."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked() -> tuple[str, ...]:
    """The paths that git keeps, from the root, as far as they are still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return tuple(path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file())


def python_files(*folders: str) -> list[str]:
    """Tracked Python files in these folders, or all of them."""
    return [path for path in tracked() if path.endswith(".py") and (not folders or path.startswith(folders))]


@cache
def text_of(path: str) -> str:
    """A tracked text file."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def imports(text: str) -> frozenset[str]:
    """Every module that the source imports, anywhere in it, by its full name."""
    return imports_in(ast.parse(text))


def imports_in(tree: ast.AST) -> frozenset[str]:
    """Every module that is imported anywhere in this part of a source."""
    return frozenset(name for node in ast.walk(tree) for name in _imported(node))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." * node.level
