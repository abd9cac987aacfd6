"""A plan as a diff: one setting a line, before and after."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, part, rows, texts, word


def show_plan(screen: Screen, plan: Record) -> None:
    """What would be or was written, what could not be drawn, and what follows if the writes fail."""
    show_changes(screen, plan.get("changes"))
    for refusal in rows(plan.get("refusals")):
        screen.line(f"{refusal.get('action')} refused: {refusal.get('reason')}", "caution", indent=2, hang=2)
    if plan.get("fallback"):
        screen.line("if that fails for good:", "dim", indent=2)
        show_changes(screen, plan.get("fallback"), indent=4)


def in_short(change: Record, target: object) -> str:
    """A change in one sentence; one that is not of this target says of which."""
    before, after = part(change.get("before")), part(change.get("after"))
    settings = [f"{key} {word(before.get(key))} → {word(after.get(key))}" for key in sorted(after)]
    where = "" if change.get("target") == target else f" on {change.get('target')}"
    return f"{', '.join(texts(change.get('actions')))}{where}: {', '.join(settings) or 'it is so already'}"


def show_changes(screen: Screen, changes: object, indent: int = 2) -> None:
    """Each change with its settings; `(not set)` where a setting is absent."""
    became = {change.get("became") for change in rows(changes)}
    for change in rows(changes):
        actions = ", ".join(texts(change.get("actions")))
        state = f" ({change.get('became')})" if len(became) > 1 else ""
        screen.line(f"{actions} on {change.get('target')}{state}", indent=indent, hang=2)
        before, after = part(change.get("before")), part(change.get("after"))
        if not after:
            screen.line("nothing to write: it is so already", indent=indent + 2)
        for key in sorted(after):
            screen.line(key, indent=indent + 2)
            screen.line(f"- {word(before.get(key))}", "minus", indent=indent + 4, hang=2)
            screen.line(f"+ {word(after.get(key))}", "plus", indent=indent + 4, hang=2)
