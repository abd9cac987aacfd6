"""A plan as a diff: one setting a line, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from screens.console import line


def show_changes(console: Console, changes: list[Mapping[str, Any]]) -> None:
    """What each change writes; `(not set)` where a setting is absent."""
    for change in changes:
        line(console, f"{', '.join(change['actions'])} on {change['target']}")
        if not change["after"]:
            line(console, "nothing to write: it is so already", indent=4)
        for key in sorted(change["after"]):
            line(console, f"  {key}", indent=2)
            line(console, f"- {_word(change['before'].get(key))}", "red", indent=6)
            line(console, f"+ {_word(change['after'].get(key))}", "green", indent=6)


def _word(value: object) -> str:
    if value is None:
        return "(not set)"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
