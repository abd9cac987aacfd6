"""What a run keeps for the next one is believed: only a file that nobody else can have put there is taken up."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotOwn(Exception):
    """The file holds something else, or somebody else may have written it; the text names it and says which."""


def require_own(path: Path) -> None:
    """Raise NotOwn where something lies there that is not this user's alone, as every such file is made.

    What a repository, an archive or a shared folder brings is readable by others.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    why = ""
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        why = "it is no file of its own"
    elif found.st_uid != os.geteuid():
        why = "it belongs to another user"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        why = f"not you alone may read and write it; if nobody else has written it: chmod 600 {path}"
    if why:
        message = f"{path} is not believed and left as it is: {why}"
        raise NotOwn(message)
