"""The vault in a folder of this machine: for trying out and for one host. What must survive goes into a bucket."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from firebreak.adapters.storage.whole_files import put_once
from firebreak.core.errors import Denied, Refused, Transient
from firebreak.ports.deadline import Deadline


@dataclass(frozen=True, slots=True)
class FolderVault:
    """Files are written aside and then put into place: whole or not there at all, and only once."""

    root: Path

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"file://{self.root}"

    def put(self, folder: str, name: str, data: bytes, deadline: Deadline) -> bool:  # noqa: ARG002 - a disk answers
        """Make the file, readable by its owner alone; False where there is one of this name."""
        place, aside = self.root / folder / name, self.root / ".aside" / uuid.uuid4().hex
        with _translate_errors("written"):
            for made in (place.parent, aside.parent):
                made.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400), "wb") as file:
                    file.write(data)
                return put_once(aside, place)
            finally:
                aside.unlink(missing_ok=True)

    def get(self, folder: str, name: str, deadline: Deadline) -> bytes | None:  # noqa: ARG002 - a disk answers
        """The file's bytes, or None."""
        with _translate_errors("read"):
            place = self.root / folder / name
            return place.read_bytes() if place.is_file() else None

    def names(self, folder: str, deadline: Deadline) -> tuple[str, ...]:  # noqa: ARG002 - a disk answers
        """Every file below the folder, by its path from there."""
        top = self.root / folder
        with _translate_errors("read"):
            found = [path for place in os.walk(top, onerror=_raise_unless_missing) for path in _paths(*place)]
        return tuple(sorted(path.relative_to(top).as_posix() for path in found))


def _paths(place: str, folders: list[str], files: list[str]) -> list[Path]:
    """Files, and links to folders, which are not walked into."""
    links = [name for name in folders if (Path(place) / name).is_symlink()]
    return [Path(place) / name for name in (*files, *links)]


def _raise_unless_missing(fault: OSError) -> None:
    if not isinstance(fault, FileNotFoundError):
        raise fault


@contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    """Say what went wrong without the path, which may be anybody's."""
    try:
        yield
    except PermissionError:
        message = f"the vault's folder cannot be {what}: permission denied"
        raise Denied(message) from None
    except (IsADirectoryError, NotADirectoryError) as fault:
        message = f"the vault's folder cannot be {what}: {fault.strerror}"
        raise Refused(message) from None
    except OSError as fault:
        message = f"the vault's folder cannot be {what}: {fault.strerror or type(fault).__name__}"
        raise Transient(message) from None
