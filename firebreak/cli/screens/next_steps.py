"""What a person can type next, as it stands on the record."""

from __future__ import annotations

from firebreak.cli.screens.console import Screen
from firebreak.cli.screens.wording import Record, part, rows
from firebreak.core.incidents.next_steps import NextStep, next_steps

_STANDING = frozenset({"contained", "containing", "verifying", "releasing"})


def stands(record: Record) -> bool:
    """Whether a containment of this incident stands, also while something further is asked about it."""
    return record.get("phase") in _STANDING or record.get("stands") is True


def steps_of(record: Record) -> tuple[NextStep, ...]:
    """The commands that help now."""
    release = part(record.get("release"))
    return next_steps(
        str(record.get("id")),
        str(record.get("phase")),
        question=str(part(record.get("question")).get("digest") or ""),
        stands=stands(record),
        refused=[str(one.get("key")) for one in rows(release.get("keys")) if one.get("result") == "refused"],
        shown=str(release.get("digest") or ""),
    )


def show_next(screen: Screen, record: Record) -> None:
    """Each with the word that says what it is for."""
    for step in steps_of(record):
        screen.verbatim(f"{step.word:<5} {step.command}", "command", indent=2)
