"""What a sweep marks for the next one, under a seal: else who can write the ledger hides from it what they please."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.core.signing import Sealed
from firebreak.ledger.documents import Document, Save, even_damaged
from firebreak.ledger.ledger import Ledger

_KIND, _SEAL = "sweep", "seal"


def read_marks(ledger: Ledger, key: str) -> tuple[Document | None, Mapping[str, Any]]:
    """What was marked last, with its document; nothing where there is none, or it is not what Firebreak saved."""
    document = even_damaged(lambda: ledger.documents.read(_KIND, key))
    body = dict(document.body) if document else {}
    seal = body.pop(_SEAL, None)
    ours = ledger.seal.check(_purpose(key), body, seal) is not Sealed.BROKEN
    return document, body if ours else {}


def save_marks(ledger: Ledger, key: str, document: Document | None, marks: Mapping[str, Any]) -> None:
    """Save over the version that was read; raises Conflict."""
    seal = {_SEAL: ledger.seal.sign(_purpose(key), marks)} if ledger.seal.keys else {}
    ledger.documents.commit([Save(_KIND, key, {**marks, **seal}, over=document)])


def _purpose(key: str) -> str:
    return f"marks of {key}"
