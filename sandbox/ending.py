"""Programs that are started for a while, and end with whoever started them, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

_ENDS_WITHIN = 5.0


def stop(leader: subprocess.Popen[bytes]) -> None:
    """End a program that was started in a session of its own, and all that it has started."""
    leader.terminate()
    with suppress(subprocess.TimeoutExpired):
        leader.wait(timeout=_ENDS_WITHIN)
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
