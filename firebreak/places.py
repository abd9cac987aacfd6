"""Where ledger, evidence and a machine's own files are: paths that do not depend on where a process happens to run."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

# How long a name has to be is for Google to say; an emulator takes short ones.
FIRESTORE = re.compile(
    r"firestore://(?P<project>(?:[a-z0-9.-]{1,60}:)?[a-z0-9][a-z0-9-]{0,62})"
    r"/(?P<database>\(default\)|[a-z0-9][a-z0-9-]{0,62})"
)
# A path stands in the two forms as it is: a space is a space, and %20 is three characters.
SQLITE, FILE = "sqlite:///", "file://"
_EVIDENCE = re.compile(r"file:///[^?#]*[^/?#][^?#]*|gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:/[^/?#]+)*/?")


def state_folder(env: Mapping[str, str]) -> Path:
    """The user's state folder for Firebreak."""
    return Path(env.get("XDG_STATE_HOME") or str(Path(_home(env)) / ".local" / "state")) / "firebreak"


def _home(env: Mapping[str, str]) -> str:
    """The user's home, by the system's list of users where HOME does not say; empty where nothing says."""
    try:
        return env.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def own_ledger(state: Path) -> str:
    """The ledger in a state folder."""
    return f"{SQLITE}{state / 'ledger.sqlite'}"


def bad_paths(env: Mapping[str, str]) -> list[str]:
    """A path that would depend on where the process happens to run, or on a shell that is not asked."""
    faults = []
    ledger, evidence = env.get("FIREBREAK_LEDGER"), env.get("FIREBREAK_EVIDENCE")
    if ledger and ledger.startswith(SQLITE) and ledger != SQLITE:
        path = ledger.removeprefix(SQLITE)
        faults += _not_whole("FIREBREAK_LEDGER", ledger, path, f"{SQLITE}/{path} is the one from the root")
    elif ledger and not FIRESTORE.fullmatch(ledger):
        faults.append(f"FIREBREAK_LEDGER={ledger}: it must be sqlite:///PATH or firestore://PROJECT/DATABASE")
    if evidence and evidence.removeprefix(FILE).lstrip("/").startswith("~"):
        faults += _not_whole("FIREBREAK_EVIDENCE", evidence, evidence.removeprefix(FILE))
    elif evidence and not _EVIDENCE.fullmatch(evidence):
        faults.append(f"FIREBREAK_EVIDENCE={evidence}: file:///DIR or gs://BUCKET/PREFIX")
    if env.get("FIREBREAK_POLICIES", "").startswith("~"):
        faults.append(
            f"FIREBREAK_POLICIES={env['FIREBREAK_POLICIES']}: ~ is not expanded here; write the folder in full"
        )
    name = "XDG_STATE_HOME" if "XDG_STATE_HOME" in env else "HOME"
    if not (place := env.get("XDG_STATE_HOME") or _home(env)):
        return [*faults, "XDG_STATE_HOME: neither it nor HOME is set, and this user has no home; name a state folder"]
    return faults + _not_whole(name, place, place, "it is where the ledger, evidence and seal key are kept")


def _not_whole(name: str, value: str, path: str, more: str = "") -> list[str]:
    """The fault of a path that is not absolute, or begins with a `~` that no shell has expanded."""
    if path.lstrip("/").startswith("~"):
        return [f"{name}={value}: ~ is not expanded here; write the path in full, from the root"]
    if not path.startswith("/"):
        return [f"{name}={value}: a relative path, and only one from the root is taken{f'; {more}' if more else ''}"]
    return []
