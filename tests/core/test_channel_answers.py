"""What a channel answers is anybody's text: it is kept where it is the name of something, else tried again."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from firebreak.core.channels import channel, kinds
from firebreak.core.errors import Refused, Transient
from firebreak.core.messages.delivery import Address

ANSWERS = {
    "half a letter": b'{"ok": true, "ts": "\\ud800", "dedup_key": "firebreak/\\ud800"}',
    "a line of control characters": b'{"ok": true, "ts": "\\u0000\\n", "dedup_key": "\\u0000\\n"}',
    "very long": json.dumps({"ok": True, "ts": "1" * 60_000, "dedup_key": "x" * 60_000}).encode(),
    "nested deeper than is read": b"[" * 60_000,
    "a number in its place": b'{"ok": true, "ts": 1, "dedup_key": 1}',
    "no object": b'"ok"',
    "nothing": b"",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("kind", kinds())
def test_an_answer_is_a_name_or_none_or_tried_again(kind: str, answer: bytes) -> None:
    kept = ""
    with suppress(Transient, Refused):
        kept = channel(kind).taken(answer, Address("secret"))

    assert kept == "" or (kept.isascii() and kept.isprintable() and len(kept) <= 255)
