"""The road of messages that cannot be read: kept whole, counted, and acknowledged."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from typing import Any

from firebreak.core.code_location import kind_and_place
from firebreak.core.errors import Refused, Transient
from firebreak.core.evidence.manifest import sealed_copy
from firebreak.core.evidence.redacted_copy import parse_if_json
from firebreak.core.secrets.redaction import safe
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.evidence.collector import put

_FOLDER = "unreadable"
_DEEPEST = 8
_REASON = 500
_FOR_ADDRESSES = str.maketrans("-_", "+/")
_SHORTEST = 12  # JSON with less in it names nothing; millions of texts must not cost a look each
_SHORT = 24  # an identifier may look like base64, and hides nothing


def send_to_dead_letter(app: App, event: Any, reason: str) -> None:  # noqa: ANN401 - whatever JSON the request carried
    """Send the message whole to the dead-letter topic, and keep a redacted copy of all of it in the vault.

    Raises Transient if the topic cannot be reached now; what becomes of the copy delays nothing.
    """
    own = _own_bytes(event)
    whole = own or json.dumps(event, ensure_ascii=True, default=str).encode()
    digest = hashlib.sha256(whole).hexdigest()
    app.ledger.keep_unreadable(digest)
    topic = app.settings.dead_letter_topic
    kept = "there is no dead-letter topic: only its digest is kept"
    if topic is not None:
        try:
            app.publisher.publish(topic, whole, {"reason": safe(reason, _REASON), "sha256": digest}, Deadline.after(20))
            kept = f"it is kept in {topic}"
        except Refused as fault:
            kept = f"the dead-letter topic refuses it: {fault}"
        except Transient:
            app.log("WARNING", "the dead-letter topic cannot be reached; delivered again", sha256=digest)
            raise
    copied = _copied(app, digest, _undone(own.decode(errors="backslashreplace") if own else event, 0), whole)
    app.log("ERROR", f"unreadable message: {reason}; {kept}; {copied}", sha256=digest, size=len(whole))


def _copied(app: App, digest: str, said: Any, whole: bytes) -> str:  # noqa: ANN401 - JSON
    """Keep a copy with its base64 undone, because no secret could be seen through that; where it is, or why not."""
    try:
        data = sealed_copy(_FOLDER, digest, said, app.ledger.seal, whole)
        return f"a copy is {app.vault.uri}/{_FOLDER}/{put(app, _FOLDER, digest, data, Deadline.after(10))}"
    except (Refused, Transient) as fault:
        return f"the vault keeps no copy: {fault}"
    except Exception as fault:  # noqa: BLE001 - a copy that cannot be made must not bring the message back for ever
        return f"no copy could be made ({kind_and_place(fault)})"


def _undone(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON
    if depth >= _DEEPEST:
        return value
    if isinstance(value, dict):
        return {str(key): _undone(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_undone(one, depth + 1) for one in value]
    if not isinstance(value, str):
        return value
    may_hide = len(value) >= _SHORT or (len(value) >= _SHORTEST and value[:1] + value[-1:] in ("{}", "[]"))
    said = parse_if_json(_opened(value)) if may_hide else value
    return said if said == value else _undone(said, depth + 1)


def _own_bytes(event: Any) -> bytes | None:  # noqa: ANN401 - JSON
    """The message's own bytes, so that it can be published again as it was; None where it has none.

    In an envelope and base64 once more, a large message would be too large for every topic.
    """
    if isinstance(event, bytes):
        return event or None
    message = event.get("message") if isinstance(event, dict) else None
    data = message.get("data") if isinstance(message, dict) else None
    with suppress(TypeError, ValueError):
        return base64.b64decode(data, validate=True) or None if data else None
    return None


def _opened(text: str) -> str:
    """What a text in base64 says, in lines and with the letters for addresses too; else the text."""
    joined = text.replace("\r", "").replace("\n", "").translate(_FOR_ADDRESSES)
    if len(joined) < _SHORT:
        return text
    try:
        return base64.b64decode(joined, validate=True).decode(errors="backslashreplace")
    except ValueError:
        return text
