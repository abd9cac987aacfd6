"""`python -m sandbox WORLD.yaml [FOLDER]` serves a world and prints what to export.

It ends when it is interrupted, or when the folder is gone.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from sandbox.server import Sandbox
from sandbox.world import World

_LOOKS_EVERY = 0.5

if len(sys.argv) not in (2, 3):
    sys.exit("usage: python -m sandbox WORLD.yaml [FOLDER]")
folder = Path(sys.argv[2]) if sys.argv[2:] else None
with Sandbox(World.load(sys.argv[1])) as sandbox:
    for name, value in sandbox.environment().items():
        print(f"export {name}={value}", flush=True)
    try:
        while folder is None or folder.is_dir():
            threading.Event().wait(_LOOKS_EVERY)
    except KeyboardInterrupt:
        sys.exit(0)
