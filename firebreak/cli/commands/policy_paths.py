"""The folders and files of policies that a command is asked about."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from firebreak.cli.commands import UsageError
from firebreak.core.diagnostics import printable
from firebreak.core.first_few import first_few
from firebreak.core.policy.policy import is_policy_file
from firebreak.policy_language.reading.policies import is_config
from firebreak.settings import ROOT, read_settings

_FEW = 5
_MOST_FOLDERS = 500


def folder_of_settings() -> Path:
    """The settings' folder; where nothing names one, it is told which is meant: somebody may stand beside another."""
    folder = read_settings().policies
    if folder == ROOT / "policies":
        print(f"policies in {printable(str(folder))}; to name others, set FIREBREAK_POLICIES", file=sys.stderr)
    return folder


def asked_about(paths: Sequence[Path]) -> list[tuple[Path, frozenset[Path] | None]]:
    """Each folder once, with the files of it that are meant, None for all; without paths, the settings' folder.

    If nothing names a folder, it is told which one is meant: somebody may think of another. So are files below a folder
    that look like policies, because nothing reads them.
    """
    asked: dict[Path, frozenset[Path] | None] = {}
    of_settings = read_settings().policies
    if not paths:
        how = ", or set FIREBREAK_POLICIES" if of_settings == ROOT / "policies" else ""
        print(f"policies in {printable(str(of_settings))}; to name others, give a folder{how}", file=sys.stderr)
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
    for folder in (one for one, files in asked.items() if files is None):
        if unread := list(_below(folder)):
            names = ", ".join(first_few([printable(str(one)) for one in unread], _FEW))
            print(f"not read, because only files of the folder itself are: {names}", file=sys.stderr)
    return list(asked.items())


def _below(folder: Path) -> Iterator[Path]:
    """What would be policies in the folders below, but for whole sets of their own, which have a firebreak.yaml."""
    for place, folders, files in itertools.islice(os.walk(folder), _MOST_FOLDERS):
        folders[:] = sorted(one for one in folders if not one.startswith((".", "_")) and one != "node_modules")
        if Path(place) != folder and not any(is_config(one) for one in files):
            yield from (Path(place) / one for one in sorted(files) if is_policy_file(one))


def looked_at(asked: Iterable[tuple[Path, frozenset[Path] | None]]) -> dict[str, Any]:
    """The folders that were read, and the files below them that were not, for programs."""
    asked = list(asked)
    unread = [str(file) for folder, files in asked if files is None for file in _below(folder)]
    return {"folders": [str(folder) for folder, _ in asked], "unread": unread[:_MOST_FOLDERS]}


def _near(folder: Path) -> Path:
    """The folder as seen from here, where that is shorter."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def is_meant(file: str, meant: frozenset[Path] | None) -> bool:
    """Whether something about this file is to be told."""
    return meant is None or Path(file) in meant
