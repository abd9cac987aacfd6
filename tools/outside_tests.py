"""Runs the tests that need more than Python where their programs are, and says loudly which it leaves out, and why."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = {  # marker: any one of each group of programs
    "emulator": (("gcloud",), ("java",)),
    "browser": (("chromium", "chromium-browser", "google-chrome"),),
    "terraform": (("terraform",),),
}
NO_TEST = 5  # pytest's exit code where it selects no test
SKIPPED = re.compile(r"^SKIPPED \[(\d+)\] \S+: (.+)$", re.MULTILINE)  # a line of its summary
SELECTED = re.compile(r"^(\d+)(?:/\d+)? tests? collected", re.MULTILINE)


def missing(marker: str) -> list[str]:
    """What this machine lacks for the tests with that marker, in words."""
    return [" or ".join(group) for group in NEEDED[marker] if not any(shutil.which(program) for program in group)]


def main() -> int:
    """Run what can be run; exit 0 unless a test failed or the tests could not be collected."""
    codes, left_out = [], []
    for marker in NEEDED:
        code, lines = _run(marker)
        codes.append(code)
        left_out += lines
    for line in left_out:  # last, so that it is not lost above the tests' own output
        print(f"outside: LEFT OUT {line}", flush=True)
    return max(codes)


def _run(marker: str) -> tuple[int, list[str]]:
    """The exit code, and a line for everything that was left out."""
    pytest = [sys.executable, "-m", "pytest", "-m", marker]
    found = subprocess.run([*pytest, "--collect-only"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if found.returncode == NO_TEST:
        print(f"outside: no test is marked {marker}", flush=True)
        return 0, []
    count = SELECTED.search(found.stdout)
    if found.returncode or not count:
        print(f"{found.stdout}{found.stderr}outside: the tests marked {marker} cannot be collected", flush=True)
        return 1, []
    if lacking := missing(marker):
        return 0, [f"{count[1]} tests marked {marker}: not on this machine: {', '.join(lacking)}"]
    print(f"outside: {count[1]} tests marked {marker}", flush=True)
    return _run_aloud(marker, pytest)


def _run_aloud(marker: str, command: list[str]) -> tuple[int, list[str]]:
    """Run the tests and read along: what skips itself was left out too."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own words
        lines = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, skipped(marker, "".join(lines))


def skipped(marker: str, output: str) -> list[str]:
    """What pytest's summary says was skipped: how many tests for each reason."""
    counts: Counter[str] = Counter()
    for number, reason in SKIPPED.findall(output):
        counts[reason] += int(number)
    return [f"{count} tests marked {marker}: {reason}" for reason, count in counts.items()]


if __name__ == "__main__":
    sys.exit(main())
