"""A folder of policies on disk. Nothing that talks to anybody is needed to read it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

import enrichment
import responders
from firebreak.core.diagnostics import Fault, Faults, Location
from firebreak.core.policy.policy import PolicySet
from firebreak.policy_language.reading.policies import is_policy_file, parse_policies
from firebreak.policy_language.reading.rules import UNREADABLE_FILE

_LARGEST_FILE = 2_000_000


def load_policies(folder: Path) -> PolicySet:
    """Every policy of a folder with the firebreak.yaml beside them; raises Faults."""
    return parse_policies(read_folder(folder), enrichment.catalogue(), responders.discover(), broken_plugins())


def broken_plugins() -> Mapping[str, str]:
    """Sources and actions that do not load (`enrichment.logs`, `responders.suspend`), and why."""
    rooms = {"enrichment": enrichment.broken(), "responders": responders.broken()}
    return {f"{room}.{name}": why for room, broken in rooms.items() for name, why in broken.items()}


def read_folder(folder: Path) -> dict[str, str]:
    """The YAML files of a folder, name to text, in the order in which policies are tried; raises Faults.

    One that cannot be read is a fault: without it, what it should have decided would fall to the policies below it.
    """
    texts, faults = {}, []
    for path in policy_files(folder):
        try:
            texts[str(path)] = _text(path)
        except OSError as fault:
            faults.append(
                Fault(UNREADABLE_FILE, Location(str(path), 1, 1), f"this file cannot be read: {fault.strerror}")
            )
    if faults:
        raise Faults(faults)
    return texts


def policy_files(folder: Path) -> tuple[Path, ...]:
    """What is meant to be a policy or the config in a folder, by name; whether it can be read is not asked."""
    return tuple(sorted(path for path in folder.iterdir() if is_policy_file(path.name) and not path.is_dir()))


def _text(path: Path) -> str:
    """Cut just above the size that the loader refuses, so that a huge file costs nothing; it refuses odd bytes too."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is a pipe or a device")  # reading it might never end
    with path.open("rb") as file:
        return file.read(_LARGEST_FILE).decode("utf-8", errors="surrogateescape")
