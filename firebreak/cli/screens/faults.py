"""A fault in a file: its place, what it is, and the line that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firebreak.cli.screens.console import Screen
from firebreak.core.diagnostics import Fault, printable

_MARGIN, _WIDEST = 6, 120


def show_faults(screen: Screen, faults: Sequence[Fault]) -> None:
    """Faults that keep something else from being done."""
    for fault in faults:
        show_fault(screen, fault, "fault", "bad")
    screen.line(counted(len(faults), "fault"), "bad")


def show_fault(screen: Screen, fault: Fault, word: str, style: str, after: str = "") -> None:
    """The place, what it is, the line and a caret; in a pipe as editors and CI know it: `file:line:column: word: …`."""
    said = f"{fault.said}{after} [{fault.rule.code}]"
    if screen.width is None:
        screen.line(f"{fault.at}: {word}: {said}")
    else:
        screen.line(f"{fault.at}: {word}", style)
        screen.line(said, indent=2)
    for text in fault.pointed(_WIDEST if screen.width is None else screen.width - _MARGIN):
        screen.verbatim(text, "dim")
    if screen.width is not None:
        screen.line()


def counted(number: int, word: str) -> str:
    """`no faults`, `1 fault`, `2 faults`."""
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number or 'no'} {word if number == 1 else plural}"


def fault_json(fault: Fault, *, loads: bool = False) -> dict[str, Any]:
    """A fault for programs; `loads` says that it keeps nothing from loading."""
    return {
        "file": fault.at.file,
        "line": fault.at.line,
        "column": fault.at.column,
        "message": fault.message,
        "nearest": fault.nearest,
        "quoted": printable(fault.line_text),
        "loads": loads,
    }
