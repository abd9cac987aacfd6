"""A place for evidence where objects are made and read, never changed and never removed."""

from __future__ import annotations

from typing import Protocol

from firebreak.ports.deadline import Deadline


class Vault(Protocol):
    """Objects by the name of their folder and their own; raises Refused or Transient."""

    @property
    def uri(self) -> str:
        """Where it is."""
        ...

    def put(self, folder: str, name: str, data: bytes, deadline: Deadline) -> bool:
        """Make the object; False, and nothing done, where there is one of this name."""
        ...

    def get(self, folder: str, name: str, deadline: Deadline) -> bytes | None:
        """The object, or None."""
        ...

    def names(self, folder: str, deadline: Deadline) -> tuple[str, ...]:
        """Everything in the folder, also what is deeper or was put there by others."""
        ...
