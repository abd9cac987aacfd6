"""`python -m sandbox WORLD.yaml` serves a world until it is interrupted, and prints what to export."""

from __future__ import annotations

import sys
import threading

from sandbox.server import Sandbox
from sandbox.world import World

if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its world
    sys.exit("usage: python -m sandbox WORLD.yaml")
with Sandbox(World.load(sys.argv[1])) as sandbox:
    for name, value in sandbox.environment().items():
        print(f"export {name}={value}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.exit(0)
