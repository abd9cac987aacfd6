"""Policies as the git repository that they lie in remembers them: as they were, by whose commit and when."""

from __future__ import annotations

import subprocess
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
_AS_IF_HOSTILE = ("-c", "safe.bareRepository=explicit", "-c", "log.showSignature=false")
"""A folder of policies may be a repository in itself, whose settings name programs that git would run."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: its hash, who made it, when (RFC 3339) and what its first line says."""

    hash: str
    by: str
    at: str
    says: str


def files_at(folder: Path, revision: str) -> dict[str, str]:
    """The policies of the folder as they were at `HEAD~1`, a tag or a commit, name to text; raises UsageError.

    None where the folder had none yet. As they were committed: what the repository's attributes would leave out or fill
    in is no part of them.
    """
    blobs = _blobs_at(folder, revision)
    if not blobs and not _is_known(folder, revision):
        message = f"{revision}: there is no such folder, and git knows no such revision of {folder}"
        raise UsageError(message)
    texts = _texts(_git(folder, "cat-file", "--batch", said="\n".join(blobs.values())) or b"")
    return {f"{folder}@{revision}/{name}": text for name, text in zip(blobs, texts, strict=True)}


def is_revision(folder: Path, word: str) -> bool:
    """Whether git knows a revision of that name, also one in which the folder has no policies."""
    return _is_known(folder, word) or bool(_blobs_at(folder, word))


def _is_known(folder: Path, revision: str) -> bool:
    commit = f"{revision}^{{commit}}"
    return _git(folder, "rev-parse", "--quiet", "--verify", "--end-of-options", commit) is not None


def _blobs_at(folder: Path, revision: str) -> dict[str, str]:
    """Each policy file of the folder then, by name, with git's name of its text."""
    listed = _git(folder, "ls-tree", "-z", "--end-of-options", revision) or b""
    entries = [entry.partition("\t") for entry in listed.decode(errors="surrogateescape").split("\0") if entry]
    files = ((name, *about.split()) for about, _, name in entries if is_policy_file(name))
    return {name: blob for name, mode, _, blob in sorted(files) if mode.startswith("100")}


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


def _texts(batch: bytes) -> Iterator[str]:
    """Each text of `cat-file --batch`: a line that ends with its size, the text, and the end of a line."""
    while batch:
        head, _, rest = batch.partition(b"\n")
        size = int(head.split()[-1])
        yield policy_text(rest[:size])
        batch = rest[size + 1 :]


def _git(folder: Path, *words: str, said: str = "") -> bytes | None:
    """What git answers about that folder to what it is said; None where it fails, or there is no git."""
    command = ["env", "GIT_NO_LAZY_FETCH=1", "git", "-C", str(folder), "--no-pager", *_AS_IF_HOSTILE, *words]
    try:
        told = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True, input=said.encode())  # noqa: S603 - a revision cannot be an option
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout
