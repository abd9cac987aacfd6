"""Where screens are written: colour and wrapped lines on a terminal, plain whole lines in a pipe."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from firebreak.core.diagnostics import printable

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = MappingProxyType(
    {
        "": "",
        "strong": "bold",
        "dim": "dim",
        "good": "green",
        "bad": "bold red",
        "caution": "yellow",
        "command": "bold cyan",
        "busy": "cyan",
        "minus": "red",
        "plus": "green",
    }
)
_NARROWEST = 30
_WORTH_TELLING = 3.0
"""Seconds: that something took less is no news, and takes a line of a small screen."""
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_NO_SUCH_PROGRAM = (126, 127)
_COMMAND = re.compile(r"^\s*:(?=:)|##(?=\[)")


def uncommanding(line: str) -> str:
    """The line, so that a CI runner, which reads `::error …` at its beginning or `##[…]` in it, does nothing."""
    return _COMMAND.sub(r"\g<0> ", line)


class Screen:
    """Lines for people. Whatever is written, nothing that a terminal or a CI runner might act on gets through.

    `width` is None in a pipe: nothing is wrapped or cut there. Styles are the words of this module.
    """

    def __init__(self, stream: TextIO) -> None:
        self.width = max(_NARROWEST, shutil.get_terminal_size().columns) if stream.isatty() else None
        self._stream = stream
        self._rich = _rich(stream) if self.width else None

    def line(self, text: str = "", style: str = "", *, indent: int = 0, hang: int = 0) -> None:
        """A paragraph, wrapped at the terminal's width; `hang` further indents all but its first line."""
        if self.width is None:
            self.verbatim(text, style, indent=indent)
            return
        parts = textwrap.wrap(
            printable(text),
            self.width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + hang),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for part in parts or [""]:
            self._put(part, style)

    def verbatim(self, text: str, style: str = "", *, indent: int = 0) -> None:
        """One line however long, so that it can be copied: a command, a link, a hash."""
        self._put(" " * indent + printable(text), style)

    def heading(self, text: str) -> None:
        """The name of a section, after a blank line."""
        self.line()
        self.line(text, "strong")

    def cut(self, text: str, at_most: int) -> str:
        """The text, on a terminal cut to so many characters."""
        return text if self.width is None or len(text) <= at_most else text[: max(0, at_most - 1)] + "…"

    def cut_front(self, text: str, at_most: int) -> str:
        """The text, on a terminal without its beginning where it is longer."""
        return text if self.width is None or len(text) <= at_most else "…" + text[len(text) - max(0, at_most - 1) :]

    def _put(self, text: str, style: str) -> None:
        if self._rich is None:
            print(uncommanding(text), file=self._stream, flush=True)
            return
        from rich.text import Text  # noqa: PLC0415 - there only where `_rich` found it

        self._rich.print(Text(text, style=_STYLES[style]), soft_wrap=True)


def stdout() -> Screen:
    """Standard output as it is now."""
    return Screen(sys.stdout)


@contextmanager
def paged() -> Iterator[Screen]:
    """Standard output; what is longer than the terminal goes through a pager there, and nowhere else."""
    screen = stdout()
    if screen.width is None or not sys.stdin.isatty():
        yield screen
        return
    kept = _Kept()
    yield Screen(kept)
    text = kept.getvalue()
    if _height(text, screen.width) < shutil.get_terminal_size().lines or not _through_pager(text):
        print(text, end="", flush=True)


class _Kept(io.StringIO):
    """What is written to a terminal, before it is."""

    def isatty(self) -> bool:
        """As the terminal does that it goes to."""
        return True


def _height(text: str, width: int) -> int:
    """How many lines of the terminal it takes."""
    return sum(max(1, -(-len(_ESCAPE.sub("", line)) // width)) for line in text.splitlines())


def _through_pager(text: str) -> bool:
    """Whether the reader's pager has shown it: PAGER, else less, which shows colours and leaves the head on screen."""
    pager = 'LESS="${LESS-FRX}"; export LESS; eval "${PAGER:-less}"'
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is for the pager alone while it is there
    try:
        shown = subprocess.run(["/bin/sh", "-c", pager], input=text, text=True, check=False)  # noqa: S603 - our own words
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return shown.returncode not in _NO_SUCH_PROGRAM


def _rich(stream: TextIO) -> Console | None:
    """Rich's console for a terminal, which honours NO_COLOR; None where rich is not installed."""
    try:
        from rich.console import Console  # noqa: PLC0415 - not needed in a pipe, and not everywhere installed
    except ImportError:
        return None
    return Console(file=stream, highlight=False, markup=False, emoji=False)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Progress on standard error for what takes more than a moment; silent where that is no terminal."""
    console = _rich(sys.stderr) if sys.stderr.isatty() else None
    if console is None:
        yield
        return
    began = time.monotonic()
    with console.status(f"{what} …"):
        yield
    if (took := time.monotonic() - began) >= _WORTH_TELLING:
        console.print(f"{what}: {took:.1f} s", style="dim")


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Progress by number on standard error: each call of what it gives counts one more; silent in a pipe."""
    console = _rich(sys.stderr) if sys.stderr.isatty() else None
    if console is None:
        yield lambda: None
        return
    seen = itertools.count(1)
    with console.status(f"{what}: 0 of {total} …") as status:
        yield lambda: status.update(f"{what}: {next(seen)} of {total} …")


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds >= 90 else f"{seconds:.0f} s"  # noqa: PLR2004 - a minute and a half


@contextmanager
def advancing(what: str, things: str, share: Callable[[], float] = float) -> Iterator[Callable[[int], None]]:
    """The same where the total is not known: each call says how many more came, and the rate is shown.

    Where `share` says how much of all that is, 0 to 1, the time left is, too.
    """
    console = _rich(sys.stderr) if sys.stderr.isatty() else None
    if console is None:
        yield lambda _: None
        return
    began, seen = time.monotonic(), 0
    with console.status(f"{what} …") as status:

        def step(more: int) -> None:
            nonlocal seen
            seen += more
            took, done = max(0.001, time.monotonic() - began), share()
            left = f", {_in_words(took * (1 - done) / done)} left" if done and took >= _WORTH_TELLING else ""
            status.update(f"{what}: {seen:,} {things}, {seen / took:,.0f} a second{left} …")

        yield step
