"""Makes what `pip install --editable .` left in .venv relative to it, so that a copied checkout runs its own code.

pip writes the environment's path into the command's first line, and the checkout's into a .pth file: a copy of both
would run the code of the original without a word.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A shell line that is a Python string as well: the interpreter beside the command runs the rest of the file.
HEAD = """#!/bin/sh
'''exec' "$(dirname "$(readlink -f "$0")")/python" "$0" "$@"
' '''
"""


def main() -> int:
    """Rewrite the command `firebreak` and the .pth file of the environment that runs this; exit 1 if one is missing."""
    command = Path(sysconfig.get_path("scripts")) / "firebreak"
    packages = Path(sysconfig.get_path("purelib"))
    paths = [path for path in packages.glob("*firebreak*.pth") if path.read_text().strip() == str(ROOT)]
    if not (command.is_file() and paths):
        print(f"setup: pip left no command and no path of {ROOT} in {sys.prefix}", file=sys.stderr)
        return 1
    _, _, rest = command.read_text().partition("\n")
    command.write_text(HEAD + rest)
    for path in paths:
        path.write_text(os.path.relpath(ROOT, packages) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
