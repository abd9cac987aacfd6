"""Runs the README's shell blocks that are marked `<!-- run -->`, as written, and stops at the first that fails."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- run -->\n```bash\n(.*?)```", re.DOTALL)


def commands(text: str) -> list[str]:
    """The marked command lines, each once, in order."""
    return list(dict.fromkeys(line for block in BLOCK.findall(text) for line in block.splitlines() if line.strip()))


def main() -> int:
    """Run them from the checkout's root; `make test` is left to whoever called, who has just run it."""
    found = commands((ROOT / "README.md").read_text())
    if not found:
        print("readme: no command is marked to be run")
        return 1
    for command in found:
        if command == "make test" and "--all" not in sys.argv:
            print("readme: make test ran before this")
            continue
        began = time.monotonic()
        print(f"readme: $ {command}", flush=True)
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, check=False)  # noqa: S603, S607 - the README's own
        if done.returncode:
            print(f"readme: exit {done.returncode}")
            return 1
        print(f"readme: ok in {time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
