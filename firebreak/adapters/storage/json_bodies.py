"""Bodies of documents as the text that is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from firebreak.ledger.documents import LARGEST_BODY, Damaged, Document, Index, TooLarge


def text_of(kind: str, key: str, body: Mapping[str, Any]) -> str:
    """JSON in ASCII, whatever the texts in it; raises TooLarge."""
    text = json.dumps(body)
    if len(text) > LARGEST_BODY:
        message = (
            f"{kind} {key} has {len(text):,} bytes, more than the {LARGEST_BODY:,} that the ledger holds, and was not"
            " saved; it must be cut before it is saved"
        )
        raise TooLarge(message)
    return text


def read_document(kind: str, key: str, version: str, text: object, index: Index) -> Document:
    """The document whose body `text_of` made this text of; raises Damaged, so that nothing is taken for empty."""
    body = _load(text)
    if body is None:
        raise Damaged(Document(kind, key, version, {}, index), text if isinstance(text, str) else repr(text))
    return Document(kind, key, version, body, index)


def listed_document(kind: str, key: str, version: str, text: object, index: Index) -> Document:
    """The same, but with an empty body where it is damaged, so that one such does not hide all others of a list."""
    return Document(kind, key, version, _load(text) or {}, index)


def _load(text: object) -> dict[str, Any] | None:
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
