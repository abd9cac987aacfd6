"""The terminal as screens use it: colour only where somebody looks, and never markup out of somebody's text."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

PHASE_STYLES = {
    "waiting": "bold yellow",
    "containing": "bold cyan",
    "verifying": "bold cyan",
    "contained": "bold green",
    "failed": "bold red",
    "monitored": "blue",
    "released": "green",
}


def stdout() -> Console:
    """Standard output; in a pipe plain and as wide as it takes, NO_COLOR honoured."""
    piped = not sys.stdout.isatty()
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=piped, width=200 if piped else None)


def heading(console: Console, text: str) -> None:
    """A section's name on a line of its own."""
    console.print()
    console.print(Text(text, style="bold"))


def line(console: Console, text: str, style: str = "", indent: int = 2) -> None:
    """One line of text from anywhere; wrapped under its own indent."""
    shown = Text(" " * indent + text, style=style)
    if console.soft_wrap or not console.is_terminal:
        console.print(shown)
        return
    width = max(20, console.width - indent)
    for part in Text(text, style=style).wrap(console, width):
        console.print(Text(" " * indent) + part)


def phase(word: str) -> Text:
    """A phase in its colour."""
    return Text(word, style=PHASE_STYLES.get(word, ""))


def ago(seconds: float) -> str:
    """An age that a tired person reads at once: `40 s`, `12 min`, `3 h`, `2 d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


@contextmanager
def working(what: str) -> Iterator[None]:
    """Progress on standard error of a terminal for what takes more than a moment."""
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        yield
        return
    began = time.monotonic()
    with console.status(Text(f"{what} …")):
        yield
    console.print(Text(f"{what}: {time.monotonic() - began:.1f} s", style="dim"))
