"""The folders and files of policies that a command is asked about."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from firebreak.cli.commands import UsageError
from firebreak.core.policy.policy import is_policy_file
from firebreak.settings import ROOT, read_settings


def asked_about(paths: Sequence[Path]) -> list[tuple[Path, frozenset[Path] | None]]:
    """Each folder once, with the files of it that are meant, None for all; without paths, the settings' folder.

    If nothing names a folder, it is told which one is meant: somebody may think of another.
    """
    asked: dict[Path, frozenset[Path] | None] = {}
    of_settings = read_settings().policies
    if not paths and of_settings == ROOT / "policies":
        print(f"policies in {of_settings}; to name others, give a folder, or set FIREBREAK_POLICIES", file=sys.stderr)
    for path in paths or [_near(of_settings)]:
        if path.is_dir():
            asked[path] = None
        elif not path.is_file():
            message = f"{path}: there is no such file or folder"
            raise UsageError(message)
        elif not is_policy_file(path.name):
            message = f"{path}: not a YAML file, or a hidden one, which is no policy"
            raise UsageError(message)
        elif (known := asked.setdefault(path.parent, frozenset())) is not None:
            asked[path.parent] = known | {path}
    return list(asked.items())


def _near(folder: Path) -> Path:
    """The folder as seen from here, where that is shorter."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def is_meant(file: str, meant: frozenset[Path] | None) -> bool:
    """Whether something about this file is to be told."""
    return meant is None or Path(file) in meant
