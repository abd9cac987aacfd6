"""How long the commands take that need only the ledger, beside importing the libraries that such a command needs.

Each command runs in a process of its own, in turns with the others, so that whatever else the machine does meets all of
them alike. Told are medians and their ratios to the first line; speed is never judged here.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

RUNS = 21
_LIBRARIES = ("-c", "import rich.console, rich.table, argparse, sqlite3")
_FIREBREAK = ("-m", "firebreak")
COMMANDS = {
    "the libraries alone": _LIBRARIES,
    "firebreak --version": (*_FIREBREAK, "--version"),
    "firebreak halt": (*_FIREBREAK, "halt", "--local", "--reason", "a drill"),
    "firebreak incident list": (*_FIREBREAK, "incident", "list", "--local"),
    "firebreak resume": (*_FIREBREAK, "resume", "--local"),
}


class Cost(NamedTuple):
    """What one process took: seconds on the clock, seconds of the processor, and at most so many MiB."""

    clock: float
    processor: float
    memory: float


def cost(words: tuple[str, ...], state: Path) -> Cost:
    """Run Python with these words to its end; raises CalledProcessError where that is not a yes."""
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - Python itself
        [sys.executable, *words],
        stdout=subprocess.DEVNULL,
        env=_environment(state),
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _environment(state: Path) -> dict[str, str]:
    """A state folder of its own, and compiled files kept as an installed program has them, whatever is set here."""
    cached = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(state / "compiled")}
    return {**os.environ, **cached, "XDG_STATE_HOME": str(state)}


def medians(runs: int, state: Path) -> dict[str, Cost]:
    """The median of each cost of each command, after one run of each that fills the caches."""
    taken: dict[str, list[Cost]] = {name: [] for name in COMMANDS}
    for number in range(runs + 1):
        for name, words in COMMANDS.items():
            found = cost(words, state)
            taken[name] += [found] if number else []
    return {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in taken.items()}


def table(found: dict[str, Cost]) -> str:
    """Each command a line, with its ratios to the first."""
    first = next(iter(found.values()))
    lines = [f"{'':<24} {'ms':>6} {'ratio':>6} {'CPU ms':>7} {'ratio':>6} {'MiB':>5} {'ratio':>6}"]
    lines += [
        f"{name:<24} {one.clock * 1000:>6.0f} {one.clock / first.clock:>6.2f} {one.processor * 1000:>7.0f}"
        f" {one.processor / first.processor:>6.2f} {one.memory:>5.0f} {one.memory / first.memory:>6.2f}"
        for name, one in found.items()
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, with an empty ledger in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as state:
        print(table(medians(RUNS, Path(state))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
