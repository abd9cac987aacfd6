"""Writes every file that is made from the code: the schemas, pages of docs/, and what Terraform reads.

The locks are not among them: they are made from the package index, by `make pins`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from firebreak.policy_folder import broken_plugins
from tests.guards.table import page as guards_page
from tools import message_pictures, performance_page, permissions, record_columns, reference

ROOT = Path(__file__).resolve().parent.parent
CURE = "stale: run `make generate` and commit what it writes"


def generated(root: Path = ROOT) -> Mapping[str, str]:
    """What should stand in which file; raises Unclassified for a permission that fits no role."""
    security = (root / permissions.PAGE).read_text(encoding="utf-8")
    return {
        **reference.generated(),
        "docs/guards.md": guards_page(),
        permissions.PAGE: permissions.page(security),
        "terraform/permissions.json": permissions.text(),
        "terraform/record.json": record_columns.text(),
        **message_pictures.pictures(),
        **performance_page.generated(root),
    }


def stale(root: Path = ROOT) -> Mapping[str, str]:
    """What should stand in the files that do not hold it."""
    return {path: text for path, text in generated(root).items() if _found(root / path) != text}


def _found(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


def main(root: Path = ROOT) -> int:
    """Write what is stale and name it; exit 1, with nothing written, if it cannot say what is true."""
    if broken := broken_plugins():
        listed = "\n".join(f"  {name}: {why}" for name, why in broken.items())
        print(f"generate: nothing was written, because not every action and source loads:\n{listed}", file=sys.stderr)
        return 1
    try:
        old = stale(root)
    except permissions.Unclassified as fault:
        print(f"generate: nothing was written:\n{fault}", file=sys.stderr)
        return 1
    for path, text in old.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
        print(f"generate: {path} is new; commit it")
    if not old:
        print("generate: every file says what the code says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
