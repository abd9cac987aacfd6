"""What a ledger is kept in: a store of JSON documents, each saved by compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from firebreak.core.errors import Transient


class Conflict(Transient):
    """Somebody else saved this document since it was read; `kind` and `key` say which one was in the way."""

    def __init__(self, kind: str, key: str, text: str = "") -> None:
        """`text` is said instead of the usual sentence."""
        super().__init__(text or f"{kind} {key} was saved by somebody else meanwhile")
        self.kind, self.key = kind, key


class Exists(Conflict):
    """Another document has this key."""


class TooLarge(Exception):
    """A body above what every store can hold; nothing was saved."""


LARGEST_BODY = 1_000_000
"""In bytes of JSON: what the smallest store, Firestore with 1 MiB for a document, holds with room for the rest."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a store can find a document by, beside its key.

    `due_ns`: when the sweep must look at it; None: never. `subject`: what it is about, a target's key; empty: nothing.
    `expires_ns`: when it may be forgotten, which no store does at once; None: never.
    """

    due_ns: int | None = None
    subject: str = ""
    expires_ns: int | None = None


NO_INDEX = Index()


@dataclass(frozen=True, slots=True)
class Document:
    """One stored document; `version` changes with every save, `index` is what it is found by as it stands there."""

    kind: str
    key: str
    version: str
    body: Mapping[str, Any]
    index: Index = field(default=NO_INDEX, compare=False)


@dataclass(frozen=True, slots=True)
class Save:
    """One document to be saved.

    Attributes:
        kind: what kind of document it is.
        key: its name among those of its kind.
        body: JSON; of what is sealed, the record before it is.
        index: what the store finds it by, beside its key.
        over: the version that was read, in whose place it is saved; None: it is made.
        anew: whether it may be saved where what is there is broken, or something is gone. Who seals asks, no store.
        whatever: whether it is saved over whatever is there; of what only an index is kept of, nothing can be lost.
    """

    kind: str
    key: str
    body: Mapping[str, Any]
    index: Index = NO_INDEX
    over: Document | None = None
    anew: bool = False
    whatever: bool = False


class Damaged(Transient):
    """What is stored there is no JSON object. `document` has an empty body, `text` is what stands in its place."""

    def __init__(self, document: Document, text: str) -> None:
        """Keep what is needed to set it aside: the version, to save over it, and the text, so that it is not lost."""
        message = f"the ledger's record {document.kind} {document.key} is damaged and was not used"
        super().__init__(f"{message}; restore it from a backup")
        self.document = document
        self.text = text


def even_damaged(read: Callable[[], Document | None]) -> Document | None:
    """What is read, with an empty body where it is damaged: for what leads elsewhere, and can be written over."""
    try:
        return read()
    except Damaged as fault:
        return fault.document


class Documents(Protocol):
    """A store of JSON documents with an atomic compare-and-set of several. Unreachable raises Transient.

    Any text of up to 300 characters may be a key or a subject. A list costs as much as it yields, however much is
    stored. What it yields may have been saved again since it was asked for: only `commit` tells. What is stored
    damaged raises Damaged when it is read, and has an empty body in a list: it must not hide the others.
    """

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        """Save all of them or none, and index each anew; raises Exists, Conflict or TooLarge."""
        ...

    def create(self, kind: str, key: str, body: Mapping[str, Any], index: Index = NO_INDEX) -> Document:
        """Store a new document; raises Exists or TooLarge."""
        return self.commit([Save(kind, key, body, index)])[0]

    def replace(self, document: Document, body: Mapping[str, Any], index: Index = NO_INDEX) -> Document:
        """Save over exactly the version that was read, and index anew; raises Conflict or TooLarge."""
        return self.commit([Save(document.kind, document.key, body, index, document)])[0]

    def read(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        ...

    def newest(self, kind: str, limit: int) -> Iterator[Document]:
        """The documents of a kind, last saved first."""
        ...

    def after(self, kind: str, key: str, limit: int) -> Iterator[Document]:
        """The documents of a kind in an order that no save changes, those behind this key; from the first, if empty."""
        ...

    def due(self, kind: str, before_ns: int, limit: int) -> Iterator[Document]:
        """The documents due at that time or before, the longest due first."""
        ...

    def about(self, kind: str, subject: str, limit: int) -> Iterator[Document]:
        """The documents with that subject, last saved first; of the empty subject, none."""
        ...

    def count(self, kind: str) -> int:
        """How many documents there are of a kind, counted where they are stored: none is read for it."""
        ...

    def forget(self, now_ns: int, limit: int) -> int:
        """Delete so many of what has expired, of every kind; how many it was, 0 where the store does it by itself."""
        ...
