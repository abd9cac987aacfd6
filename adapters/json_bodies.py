"""Bodies of documents as the text that is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import Transient
from documents import LARGEST_BODY, TooLarge


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


def body_of(kind: str, key: str, text: object) -> dict[str, Any]:
    """What `text_of` was given; raises Transient where it is damaged, so that nothing is taken for empty."""
    body = _loaded(text)
    if body is None:
        message = f"the ledger's record {kind} {key} is damaged and was not used; restore it from a backup"
        raise Transient(message)
    return body


def listed_body(_kind: str, _key: str, text: object) -> dict[str, Any]:
    """The same, but empty where it is damaged, so that one such record does not hide all others of a list."""
    return _loaded(text) or {}


def _loaded(text: object) -> dict[str, Any] | None:
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
