"""Folders as they are elsewhere: one that is not writable, also for whoever may do anything; one without hard links."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_mock import MockerFixture

_NOBODY = 65534


@contextmanager
def closed(folder: Path) -> Iterator[Path]:
    """A copy of the folder in which nothing can be made or changed; root becomes somebody else meanwhile."""
    place = Path(tempfile.mkdtemp())
    copy = place / "closed"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm"))  # which only a running process has
    for path in (*copy.rglob("*"), copy, place):
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield copy
    finally:
        if root:
            os.seteuid(0)
        for path in (place, copy):
            path.chmod(0o755)
        shutil.rmtree(place)


@contextmanager
def opened(folder: Path) -> Iterator[None]:
    """Somebody who may write there has it for a moment."""
    nobody = os.geteuid() == _NOBODY
    if nobody:
        os.seteuid(0)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    try:
        yield
    finally:
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if nobody:
            os.seteuid(_NOBODY)


def without_hard_links(mocker: MockerFixture) -> None:
    """As on exFAT, and on many a mounted network or container volume."""

    def refused(_: object, to: object) -> None:
        if Path(str(to)).exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    mocker.patch("os.link", side_effect=refused)
