"""The road of messages that cannot be read: kept whole, counted, and acknowledged."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from adapters.deadline import Deadline
from app import App
from core.errors import Refused, Transient
from core.redaction import safe


def bury(app: App, event: Any, reason: str) -> None:  # noqa: ANN401 - whatever JSON the request carried
    """Send the message whole to the dead-letter topic; raises Transient if that cannot be reached now."""
    whole = json.dumps(event, ensure_ascii=True, default=str).encode()
    digest = hashlib.sha256(whole).hexdigest()
    app.ledger.keep_unreadable(digest, {"reason": reason, "size": len(whole), "begins": safe(whole[:2000].decode())})
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
