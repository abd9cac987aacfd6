"""What a person can type next, as it stands on the record."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, rows

_STANDING = frozenset({"contained", "containing", "verifying", "releasing"})


def stands(record: Record) -> bool:
    """Whether a containment of this incident stands, also while something further is asked about it."""
    return record.get("phase") in _STANDING or record.get("stands") is True


def show_next(screen: Screen, record: Record) -> None:
    """Each with the word that says what it is for, and below it what comes of it where that is not plain."""
    for step in rows(record.get("next")):
        screen.verbatim(f"{step.get('word'):<5} {step.get('command')}", "command", indent=2)
        if step.get("effect"):
            screen.line(str(step["effect"]), "dim", indent=8)
