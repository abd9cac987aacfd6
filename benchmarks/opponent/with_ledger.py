"""The opponent with a ledger as far away: it looks whether it had the finding, and notes it when it is done."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import functions_framework

sys.path.insert(0, str(Path(__file__).resolve().parent))

import main as opponent

_SECONDS = float(os.environ["FAR_LEDGER_SECONDS"])
_seen: set[str] = set()


@functions_framework.cloud_event
def on_finding(event: Any) -> None:  # noqa: ANN401 - a CloudEvent
    """One SCC notification, once: one read before, and one write after."""
    time.sleep(_SECONDS)
    if event["id"] in _seen:
        return
    opponent.on_finding(event)
    time.sleep(_SECONDS)
    _seen.add(event["id"])
