"""Writes the `firebreak` command: it runs this checkout with this interpreter, from whatever folder it is called."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A shell line, then Python: a `#!` with the interpreter's path would not survive a blank or a long folder name in it.
TEXT = """#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys

sys.path.insert(0, {root!r})

from cli import main

if __name__ == "__main__":
    sys.exit(main())
"""


def main() -> int:
    """Write the command to the path given, for the interpreter that runs this."""
    launcher = Path(sys.argv[1])
    launcher.write_text(TEXT.format(python=shlex.quote(sys.executable), root=str(ROOT)), encoding="utf-8")
    launcher.chmod(0o755)
    return 0


if __name__ == "__main__":
    sys.exit(main())
