"""The road of messages that cannot be read: kept whole, counted, and acknowledged."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from adapters.deadline import Deadline
from app import App
from core.errors import Refused, Transient
from core.redaction import safe

_DEEPEST = 8
_SHORT = 24  # an identifier may look like base64, and hides nothing


def bury(app: App, event: Any, reason: str) -> None:  # noqa: ANN401 - whatever JSON the request carried
    """Send the message whole to the dead-letter topic; raises Transient if that cannot be reached now."""
    whole = _whole(event)
    digest = hashlib.sha256(whole).hexdigest()
    app.ledger.keep_unreadable(digest, {"reason": reason, "size": len(whole), "begins": safe(_words(event))})
    topic = app.settings.dead_letter_topic
    kept = "there is no dead-letter topic: the ledger keeps its beginning"
    if topic is not None:
        try:
            app.publisher.publish(topic, whole, {"reason": reason[:500], "sha256": digest}, Deadline.after(20))
            kept = f"it is kept in {topic}"
        except Refused as fault:
            kept = f"the dead-letter topic refuses it: {fault}"
        except Transient:
            app.say("WARNING", "the dead-letter topic cannot be reached; delivered again", sha256=digest)
            raise
    app.say("ERROR", f"unreadable message: {reason}; {kept}", sha256=digest, size=len(whole))


def _whole(event: Any) -> bytes:  # noqa: ANN401 - JSON
    """The message's own bytes, so that it can be published again as it was; where it has none, all that came.

    In an envelope and base64 once more, a large message would be too large for every topic.
    """
    message = event.get("message") if isinstance(event, dict) else None
    data = message.get("data") if isinstance(message, dict) else None
    with suppress(TypeError, ValueError):
        if data and (own := base64.b64decode(data, validate=True)):
            return own
    return json.dumps(event, ensure_ascii=True, default=str).encode()


def _words(event: Any) -> str:  # noqa: ANN401 - whatever JSON the request carried
    """What the message says. Base64 is undone, because no secret could be seen through it."""
    return " ".join(_opened(text) for text in _texts(event, 0))


def _texts(value: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, one in value.items():
            yield f"{key}:"
            yield from _texts(one, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for one in value:
            yield from _texts(one, depth + 1)
    elif value is not None:
        yield str(value)


def _opened(text: str) -> str:
    if len(text) < _SHORT:
        return text
    try:
        return base64.b64decode(text, validate=True).decode(errors="backslashreplace")
    except ValueError:
        return text
