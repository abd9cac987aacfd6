"""The ledger's store as a dictionary: compare-and-set on versions, indexes, and an order of saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from firebreak.adapters.storage.json_bodies import listed_document, read_document, text_of
from firebreak.ledger.documents import Conflict, Document, Documents, Exists, Index, Save


@dataclass(frozen=True, slots=True)
class Row:
    """One stored document: its text, and when it was saved among all of its kind."""

    version: str
    saved: int
    text: str
    index: Index


@dataclass
class Rows:
    """All that is stored, by kind and key."""

    by_place: dict[tuple[str, str], Row] = field(default_factory=dict)
    saves: int = 0

    def copy(self) -> Rows:
        """The same, apart; rows never change."""
        return Rows(dict(self.by_place), self.saves)

    def put(self, kind: str, key: str, text: str, index: Index) -> Row:
        """Store a text, over whatever is there."""
        self.saves += 1
        row = self.by_place[kind, key] = Row(f"v{self.saves}", self.saves, text, index)
        return row

    def of_kind(self, kind: str) -> list[tuple[str, Row]]:
        """Keys and rows of a kind, last saved first."""
        found = [(key, row) for (one, key), row in self.by_place.items() if one == kind]
        return sorted(found, key=lambda pair: -pair[1].saved)


class MemoryDocuments(Documents):
    """Documents over rows; `rows` says over which, now."""

    def __init__(self, rows: Callable[[], Rows]) -> None:
        self._rows = rows

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        """Save all of them or none; raises Exists, Conflict or TooLarge."""
        texts = [text_of(one.kind, one.key, one.body) for one in writes]
        for one in writes:
            row = self._rows().by_place.get((one.kind, one.key))
            if one.over is None and row is not None and not one.whatever:
                raise Exists(one.kind, one.key)
            if one.over is not None and (row is None or row.version != one.over.version):
                raise Conflict(one.kind, one.key)
        rows = [self._rows().put(one.kind, one.key, text, one.index) for one, text in zip(writes, texts, strict=True)]
        return [
            Document(one.kind, one.key, row.version, one.body, one.index) for one, row in zip(writes, rows, strict=True)
        ]

    def read(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        row = self._rows().by_place.get((kind, key))
        return read_document(kind, key, row.version, row.text, row.index) if row else None

    def newest(self, kind: str, limit: int) -> Iterator[Document]:
        """The documents of a kind, last saved first."""
        return self._listed(kind, self._rows().of_kind(kind)[:limit])

    def after(self, kind: str, key: str, limit: int) -> Iterator[Document]:
        """The documents of a kind by their keys, those behind this one."""
        behind = sorted(((one, row) for one, row in self._rows().of_kind(kind) if one > key), key=lambda pair: pair[0])
        return self._listed(kind, behind[:limit])

    def due(self, kind: str, before_ns: int, limit: int) -> Iterator[Document]:
        """The documents due at that time or before, the longest due first."""
        dated = [
            (row.index.due_ns, key, row) for key, row in self._rows().of_kind(kind) if row.index.due_ns is not None
        ]
        due = sorted(((due_ns, key, row) for due_ns, key, row in dated if due_ns <= before_ns), key=lambda one: one[:2])
        return self._listed(kind, [(key, row) for _, key, row in due[:limit]])

    def about(self, kind: str, subject: str, limit: int) -> Iterator[Document]:
        """The documents with that subject, last saved first; of the empty subject, none."""
        found = [(key, row) for key, row in self._rows().of_kind(kind) if subject and row.index.subject == subject]
        return self._listed(kind, found[:limit])

    def count(self, kind: str) -> int:
        """How many documents there are of a kind."""
        return len(self._rows().of_kind(kind))

    def forget(self, now_ns: int, limit: int) -> int:
        """Delete so many of what has expired, of every kind; how many it was."""
        places = self._rows().by_place
        expired = [place for place, row in places.items() if row.index.expires_ns is not None]
        expired = [place for place in expired if (places[place].index.expires_ns or 0) <= now_ns][:limit]
        for place in expired:
            del places[place]
        return len(expired)

    def _listed(self, kind: str, found: list[tuple[str, Row]]) -> Iterator[Document]:
        """The keys at once; each body only when it is its turn."""
        for key in [key for key, _ in found]:
            if row := self._rows().by_place.get((kind, key)):
                yield listed_document(kind, key, row.version, row.text, row.index)
