"""Writes the `firebreak` command: it runs this checkout with this interpreter, from whatever folder it is called."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

TEXT = """#!{python}
import sys

sys.path.insert(0, {root!r})

from cli import main

if __name__ == "__main__":
    sys.exit(main())
"""

if __name__ == "__main__":
    launcher = Path(sys.argv[1])
    launcher.write_text(TEXT.format(python=sys.executable, root=str(ROOT)))
    launcher.chmod(0o755)
