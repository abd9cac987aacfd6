"""Runs the README's shell blocks that are marked `<!-- run -->`, as written, and then goes through the walkthroughs.

It stops at the first that fails, or is not as the page says.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from tools.walkthrough import Differs, follow

ROOT = Path(__file__).resolve().parent.parent
WALKTHROUGHS = (ROOT / "docs" / "policies.md", ROOT / "docs" / "backtest.md")
BLOCK = re.compile(r"<!-- run -->\n```bash\n(.*?)```", re.DOTALL)
LEFT_TO_CALLER = "make test"


def commands(text: str) -> list[str]:
    """The marked command lines, each once, in order."""
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.strip() and not line.startswith("#")))


def main() -> int:
    """Run them from the checkout's root. `make check` runs `make test` itself, and so it is not run here too."""
    found = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    if not found:
        print("readme: no command is marked to be run")
        return 1
    for command in found:
        if command == LEFT_TO_CALLER:
            print(f"readme: $ {command}   (left to make check)", flush=True)
        elif not _succeeds(command):
            return 1
    return 0 if all(map(_followed, WALKTHROUGHS)) else 1


def _followed(page: Path) -> bool:
    began, name = time.monotonic(), page.relative_to(ROOT)
    try:
        for step in follow(page, ROOT):
            print(f"{name}: {step}", flush=True)
    except Differs as difference:
        print(f"{name}: {difference}")
        return False
    print(f"{name}: all as the page says, {time.monotonic() - began:.1f} s", flush=True)
    return True


def _succeeds(command: str) -> bool:
    began = time.monotonic()
    print(f"readme: $ {command}", flush=True)
    # Into a pipe, with nothing to read: a command must neither need a terminal nor wait for an answer.
    running = subprocess.Popen(  # noqa: S603
        ["/usr/bin/env", "bash", "-c", command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
    took = time.monotonic() - began
    print(f"readme: exit {running.returncode} after {took:.1f} s", flush=True)
    return running.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
