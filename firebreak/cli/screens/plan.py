"""A plan as a diff: one setting a line, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, part, rows, texts, word
from firebreak.core.first_few import and_more
from firebreak.core.incidents.setting_states import SIGNS

_STYLES: Mapping[str, str] = MappingProxyType(
    {
        "done": "good",
        "being made": "busy",
        "changed since": "bad",
        "still held": "bad",
        "undone": "busy",
        "planned": "caution",
    }
)
_MOST = 6


def show_plan(screen: Screen, plan: Record) -> None:
    """What would be or was written, what could not be drawn, and what follows if the writes fail."""
    show_changes(screen, plan.get("changes"))
    for refusal in rows(plan.get("refusals")):
        screen.line(f"{refusal.get('action')} refused: {refusal.get('reason')}", "caution", indent=2, hang=2)
    if plan.get("fallback"):
        screen.line("if that fails for good:", "dim", indent=2)
        show_changes(screen, plan.get("fallback"), indent=4)


def show_settings(screen: Screen, record: Record) -> None:
    """What became of each setting, each with its sign: the first few, and how many more there are."""
    settings = rows(record.get("settings"))
    for one in settings[:_MOST]:
        became = str(one.get("became"))
        style = _STYLES.get(became, "")
        screen.line(f"{SIGNS.get(became, '·')} {became}: {one.get('says')}", style, indent=2, hang=4)
    for more in and_more(len(settings), _MOST):
        screen.line(more, "dim", indent=4)


def show_changes(screen: Screen, changes: object, indent: int = 2) -> None:
    """Each change with its settings; `(not set)` where a setting is absent."""
    became = {change.get("became") for change in rows(changes)}
    for change in rows(changes):
        actions = ", ".join(texts(change.get("actions")))
        state = f" ({change.get('became')})" if len(became) > 1 else ""
        screen.line(f"{actions} on {change.get('target')}{state}", indent=indent, hang=2)
        before, after = part(change.get("before")), part(change.get("after"))
        if change.get("became") == "undone":
            before, after = after, before
        if not after:
            screen.line("nothing to write: it is so already", indent=indent + 2)
        for key in sorted(after):
            screen.line(key, indent=indent + 2)
            screen.line(f"- {word(before.get(key))}", "minus", indent=indent + 4, hang=2)
            screen.line(f"+ {word(after.get(key))}", "plus", indent=indent + 4, hang=2)
