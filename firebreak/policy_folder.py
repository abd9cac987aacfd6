"""A folder of policies on disk. Nothing that talks to anybody is needed to read it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

import enrichment
import responders
from firebreak.core.diagnostics import Fault, Faults, Location
from firebreak.core.policy.compiled import NotCompiledError, load_compiled
from firebreak.core.policy.policy import Files, PolicySet, is_policy_file
from firebreak.ports.log import LogSink

COMPILED = "compiled.json"
"""Beside the policies in what is packaged: the same, read and checked already."""
_LARGEST_FILE = 2_000_000


def load_policies(folder: Path, log: LogSink) -> PolicySet:
    """Every policy of a folder with the firebreak.yaml beside them; raises Faults. No action is executed for it.

    Where they are compiled, no YAML is read; where what is compiled does not fit, the YAML is, and the log says why.
    """
    files = read_folder(folder)
    compiled = _compiled(folder / COMPILED, files, log)
    return read_yaml_policies(files) if compiled is None else compiled


def read_yaml_policies(files: Files) -> PolicySet:
    """The policies of these texts; raises Faults."""
    # Compiled policies need nothing of the policy language, and a cold function waits for nothing more.
    from firebreak.policy_language.reading.policies import parse_policies  # noqa: PLC0415 - as said

    return parse_policies(files, enrichment.catalogue(), responders.discover(), broken_plugins())


def _compiled(path: Path, files: Files, log: LogSink) -> PolicySet | None:
    try:
        return load_compiled(_text(path), files, enrichment.catalogue(), responders.discover())
    except FileNotFoundError:
        return None
    except OSError as fault:
        why = f"it cannot be read: {fault.strerror}"
    except NotCompiledError as fault:
        why = str(fault)
    log("WARNING", f"{path} is left aside, and the YAML beside it is read: {why}; package the policies anew")
    return None


def broken_plugins() -> Mapping[str, str]:
    """Sources and actions that do not load (`enrichment.logs`, `responders.suspend`), and why."""
    rooms = {"enrichment": enrichment.broken(), "responders": responders.broken()}
    return {f"{room}.{name}": why for room, broken in rooms.items() for name, why in broken.items()}


def read_folder(folder: Path) -> dict[str, str]:
    """The YAML files of a folder, name to text, in the order in which policies are tried; raises Faults.

    One that cannot be read is a fault: without it, what it should have decided would fall to the policies below it.
    """
    texts, unreadable = {}, {}
    for path in policy_files(folder):
        try:
            texts[str(path)] = policy_text(_bytes(path))
        except OSError as fault:
            unreadable[str(path)] = f"this file cannot be read: {fault.strerror}"
    if unreadable:
        from firebreak.policy_language.reading.rules import UNREADABLE_FILE  # noqa: PLC0415 - see `read_yaml_policies`

        raise Faults(Fault(UNREADABLE_FILE, Location(file, 1, 1), why) for file, why in unreadable.items())
    return texts


def policy_files(folder: Path) -> tuple[Path, ...]:
    """What is meant to be a policy or the config in a folder, by name; whether it can be read is not asked."""
    return tuple(sorted(path for path in folder.iterdir() if is_policy_file(path.name) and not path.is_dir()))


def policy_text(data: bytes) -> str:
    """Cut just above the size that the loader refuses, so that a huge file costs nothing; it refuses odd bytes too."""
    return data[:_LARGEST_FILE].decode("utf-8", errors="surrogateescape")


def _text(path: Path) -> str:
    return _bytes(path, most=-1).decode("utf-8", errors="surrogateescape")


def _bytes(path: Path, most: int = _LARGEST_FILE) -> bytes:
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")  # reading a pipe might never end
    with path.open("rb") as file:
        return file.read(most)
