"""The log: standard output, as Cloud Logging reads it. Each line is one write under one lock.

`print` writes text and newline apart, so that lines of several threads merge and are lost.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from firebreak.core.incidents.log_line import log_line

_lock = threading.Lock()


def log_json(severity: str, message: str, **fields: object) -> None:
    """Write one line of JSON, whole, whatever other threads write at the same time and whatever the locale is."""
    line = f"{log_line(severity, message, fields)}\n".encode()
    with _lock:
        out = _standard_output()
        out.flush()
        out.buffer.write(line)
        out.buffer.flush()


def _standard_output() -> Any:  # noqa: ANN401 - a text stream over a binary one
    """Standard output itself: functions-framework may put a stream before it that writes text and newline apart."""
    return getattr(sys.stdout, "stream", sys.stdout)
