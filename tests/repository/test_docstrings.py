"""What docstrings say for readers who are new here: one line for each field of a large dataclass."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firebreak/core", "firebreak/ports", "firebreak/ledger", "firebreak/adapters", "enrichment", "sandbox")
ELSEWHERE = "firebreak/core/policy/"  # its values are described beside the policy language
FEW = 5
FIELD_LINE = re.compile(r"^    ([a-z_0-9]+): \S", re.MULTILINE)

FIELDS = "".join(f"    {name}: int\n" for name in "abcdef")
LINES = "".join(f"        {name}: what it is.\n" for name in "abcdef")
SMALL = "@dataclass\nclass A:\n    a: int\n"
UNDESCRIBED = f"@dataclass(frozen=True)\nclass A:\n    'Six.'\n{FIELDS}"
DESCRIBED = UNDESCRIBED.replace("'Six.'", f'"""Six.\n\n    Attributes:\n{LINES}    """')


def undescribed(text: str) -> list[str]:
    """`class.field` of every large dataclass whose docstring has no line for it."""
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    large = [node for node in classes if is_dataclass(node) and len(fields_of(node)) > FEW]
    return [f"{node.name}.{name}" for node in large for name in fields_of(node) if name not in described(node)]


def is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(one) for one in node.decorator_list)


def fields_of(node: ast.ClassDef) -> list[str]:
    return [one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]


def described(node: ast.ClassDef) -> list[str]:
    return FIELD_LINE.findall((ast.get_docstring(node) or "").partition("Attributes:\n")[2])


def test_a_dataclass_of_more_than_five_fields_says_one_line_for_each() -> None:
    files = [
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.relative_to(ROOT).as_posix().startswith(ELSEWHERE)
    ]

    found = {path.relative_to(ROOT).as_posix(): undescribed(path.read_text(encoding="utf-8")) for path in files}

    assert {name: fields for name, fields in found.items() if fields} == {}


@pytest.mark.parametrize("text", [SMALL, DESCRIBED])
def test_a_small_or_described_dataclass_is_fine(text: str) -> None:
    assert undescribed(text) == []


def test_a_missing_line_is_noticed() -> None:
    assert undescribed(DESCRIBED.replace("        e: what it is.\n", "")) == ["A.e"]
    assert len(undescribed(UNDESCRIBED)) == 6
