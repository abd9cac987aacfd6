"""A ledger's store from which everything is read and to which nothing is written: writes stay in this process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from firebreak.ledger.documents import NO_INDEX, Conflict, Document, Documents, Exists, Index


class Unwritten:
    """What was written here is read back here; all else comes from the store beneath, where there is one."""

    def __init__(self, beneath: Documents | None) -> None:
        """`beneath` is never asked to create, replace or forget."""
        self._beneath = beneath
        self._own: dict[tuple[str, str], Document] = {}

    def create(self, kind: str, key: str, body: Mapping[str, Any], index: Index = NO_INDEX) -> Document:  # noqa: ARG002
        """Keep a new document here; raises Exists."""
        if self.read(kind, key) is not None:
            raise Exists(key)
        return self._keep(kind, key, body)

    def read(self, kind: str, key: str) -> Document | None:
        """The document as it was written here, else as the store beneath has it."""
        if (kind, key) in self._own:
            return self._own[kind, key]
        return self._beneath.read(kind, key) if self._beneath else None

    def replace(self, document: Document, body: Mapping[str, Any], index: Index = NO_INDEX) -> Document:  # noqa: ARG002
        """Keep it here in place of exactly the version that was read; raises Conflict."""
        known = self.read(document.kind, document.key)
        if known is None or known.version != document.version:
            raise Conflict(document.key)
        return self._keep(document.kind, document.key, body)

    def newest(self, kind: str, limit: int) -> Iterator[Document]:
        """As the store beneath has them."""
        return self._beneath.newest(kind, limit) if self._beneath else iter(())

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

    def _keep(self, kind: str, key: str, body: Mapping[str, Any]) -> Document:
        document = Document(kind, key, uuid.uuid4().hex, dict(body))
        self._own[kind, key] = document
        return document
