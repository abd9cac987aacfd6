"""Putting a file in its place whole and only once, on any file system."""

from __future__ import annotations

import os
from pathlib import Path


def put_once(aside: Path, place: Path) -> bool:
    """Have `aside`, which is complete, stand at `place` too; False where there is something already.

    By a hard link where the file system has them. Else the place is claimed by an empty file, and that one is replaced:
    who looks in between, or after a crash in between, sees a file of no bytes, and never a part of one.
    """
    try:
        os.link(aside, place)
    except FileExistsError:
        return False
    except OSError:
        return _put_by_claim(aside, place)
    return True


def _put_by_claim(aside: Path, place: Path) -> bool:
    try:
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    try:
        aside.replace(place)
    except OSError:
        place.unlink()
        raise
    return True
