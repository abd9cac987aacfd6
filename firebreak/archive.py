"""What a running function was packed from: packing writes a digest of all files, and each start tells it."""

from __future__ import annotations

import json
from pathlib import Path

FILE = "firebreak/archive.json"
STARTS = "Firebreak starts"
"""The log line of a start; its fields are `version`, `contents` and `policy_set`."""


def contents(root: Path) -> str | None:
    """The digest of what is below `root`, as packing wrote it; None in a checkout, which nobody packed."""
    try:
        body = json.loads((root / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = body.get("contents") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None
