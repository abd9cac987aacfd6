"""Policies as the git repository that they lie in remembers them: as they were, by whose commit and when."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from firebreak.cli.commands import UsageError
from firebreak.core.diagnostics import Faults
from firebreak.core.policy.policy import is_policy_file
from firebreak.core.secrets.redaction import safe
from firebreak.policy_folder import policy_text, read_yaml_policies

_MOST = 100
"""Commits, the newest, that are looked through: each has its policies read."""
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: its hash, who made it, when (RFC 3339) and what its first line says."""

    hash: str
    by: str
    at: str
    says: str


def files_at(folder: Path, revision: str) -> dict[str, str]:
    """The policies of the folder as they were at `HEAD~1`, a tag or a commit, name to text; raises UsageError."""
    packed = _git(folder, "archive", "--format=tar", "--end-of-options", revision)
    if packed is None:
        message = f"{revision}: there is no such folder, and git knows no such revision of {folder}"
        raise UsageError(message)
    return {f"{folder}@{revision}/{name}": text for name, text in _texts(packed)}


def commits_of(folder: Path, digests: Collection[str]) -> dict[str, Commit]:
    """The commit that each of these sets of policies began with, by its digest; without those that git does not tell.

    Policies of a version of Firebreak that reads them otherwise have another digest today.
    """
    found: dict[str, Commit] = {}
    told = _git(folder, "log", f"-{_MOST}", "--format=%H%x1f%an%x1f%aI%x1f%s", "--", ".") if digests else None
    for line in (told or b"").decode(errors="replace").splitlines():
        commit = Commit(*(safe(word, 200) for word in line.split("\x1f", 3)))
        digest = _digest_at(folder, commit.hash)
        if digest in digests:
            found[digest] = commit
        elif len(found) == len(digests):
            break
    return found


def _digest_at(folder: Path, revision: str) -> str:
    """Empty where policies of then are no policies of today."""
    try:
        return read_yaml_policies(files_at(folder, revision)).digest
    except (Faults, UsageError):
        return ""


def _texts(packed: bytes) -> Iterator[tuple[str, str]]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for one in sorted(archive.getmembers(), key=lambda member: member.name):
            if one.isfile() and "/" not in one.name and is_policy_file(one.name) and (data := archive.extractfile(one)):
                yield one.name, policy_text(data.read())


def _git(folder: Path, *words: str) -> bytes | None:
    """What git says of that folder; None where it says nothing, or there is no git."""
    command = ["git", "-C", str(folder), "--no-pager", *words]
    try:
        told = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - a revision cannot be an option
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout
