"""A ledger's store from which everything is read and to which nothing is written: writes stay in this process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from firebreak.ledger.documents import Conflict, Document, Documents, Exists, Save


class Unwritten(Documents):
    """What was written here is read back here; all else comes from the store beneath, where there is one."""

    def __init__(self, beneath: Documents | None) -> None:
        """`beneath` is never asked to commit or forget."""
        self._beneath = beneath
        self._own: dict[tuple[str, str], Document] = {}

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        """Keep all of them here, or none; raises Exists or Conflict."""
        for one in writes:
            known = self.read(one.kind, one.key)
            if one.over is None and known is not None and not one.whatever:
                raise Exists(one.kind, one.key)
            if one.over is not None and (known is None or known.version != one.over.version):
                raise Conflict(one.kind, one.key)
        saved = [Document(one.kind, one.key, uuid.uuid4().hex, dict(one.body), one.index) for one in writes]
        self._own |= {(one.kind, one.key): one for one in saved}
        return saved

    def read(self, kind: str, key: str) -> Document | None:
        """The document as it was written here, else as the store beneath has it."""
        if (kind, key) in self._own:
            return self._own[kind, key]
        return self._beneath.read(kind, key) if self._beneath else None

    def newest(self, kind: str, limit: int) -> Iterator[Document]:
        """As the store beneath has them."""
        return self._beneath.newest(kind, limit) if self._beneath else iter(())

    def after(self, kind: str, key: str, limit: int) -> Iterator[Document]:
        """As the store beneath has them."""
        return self._beneath.after(kind, key, limit) if self._beneath else iter(())

    def due(self, kind: str, before_ns: int, limit: int) -> Iterator[Document]:
        """As the store beneath has them."""
        return self._beneath.due(kind, before_ns, limit) if self._beneath else iter(())

    def about(self, kind: str, subject: str, limit: int) -> Iterator[Document]:
        """As the store beneath has them."""
        return self._beneath.about(kind, subject, limit) if self._beneath else iter(())

    def count(self, kind: str) -> int:
        """As the store beneath has them, and what is new here."""
        own = [key for of, key in self._own if of == kind]
        beneath = self._beneath
        if beneath is None:
            return len(own)
        return beneath.count(kind) + sum(beneath.read(kind, key) is None for key in own)

    def forget(self, now_ns: int, limit: int) -> int:  # noqa: ARG002 - nothing is deleted
        """Nothing."""
        return 0
