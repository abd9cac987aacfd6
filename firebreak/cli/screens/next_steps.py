"""What a person can type next, as it stands on the record."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, rows
from firebreak.core.incidents.next_steps import NextStep

_STANDING = frozenset({"contained", "containing", "verifying", "releasing"})


def stands(record: Record) -> bool:
    """Whether a containment of this incident stands, also while something further is asked about it."""
    return record.get("phase") in _STANDING or record.get("stands") is True


def show_next(screen: Screen, record: Record) -> None:
    """What can be typed about an incident, as it stands on its record."""
    for one in rows(record.get("next")):
        show_step(screen, NextStep(str(one.get("word")), str(one.get("command")), str(one.get("effect") or "")))


def show_step(screen: Screen, step: NextStep) -> None:
    """A command with the word that says what it is for, and below it what comes of it where that is not plain."""
    screen.verbatim(f"{step.word:<5} {step.command}", "command", indent=2)
    if step.effect:
        screen.line(step.effect, "dim", indent=8)
