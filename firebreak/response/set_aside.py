"""Records that this version does not act on: each is noted with its place and told once, and stops nothing else.

The note has what stood there, word for word. A sweep looks again at each place: once the record there can be acted on,
repaired or by the version that it belongs to, it is due as before.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace

from firebreak.core.findings.finding import Finding
from firebreak.core.signing import Sealed
from firebreak.core.stored_body import FORMAT
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import NO_INDEX, Conflict, Document, Exists, Index
from firebreak.ledger.records import (
    BrokenSeal,
    NotActedOn,
    StoredIncident,
    UnreadableRecord,
    index_of,
    newer,
    open_incident,
)
from firebreak.response.app import App

LOOK_AGAIN_NS = 30 * NANOS


def claimed(app: App, finding: Finding) -> StoredIncident:
    """The finding's incident, owned by us. One of its own that cannot be read is set aside, and begun anew.

    So is one that says it is over under a seal that does not hold: whoever wrote it would have the finding overlooked.
    """
    try:
        held = app.ledger.claim(finding)
    except UnreadableRecord as fault:
        set_aside(app, fault)
        return app.ledger.claim(finding, over=fault.document)
    if held.sealed is not Sealed.BROKEN or held.joined or held.incident.open:
        return held
    set_aside(app, BrokenSeal(f"the seal of incident {held.incident.id} is broken: it is begun anew", held.document))
    return app.ledger.claim(finding, over=held.document)


def set_aside(app: App, fault: NotActedOn) -> None:
    """Note a record with its place and what stands there; told once for each content."""
    document, now = fault.document, app.now_ns()
    text = json.dumps(document.body) if fault.damaged is None else fault.damaged
    text = str(document.body.get("damaged", text))
    content = hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:12]
    place = {"kind": document.kind, "key": document.key}
    note = {"format": FORMAT, **place, "why": str(fault), "at_ns": now, "text": text}
    try:
        key = f"{document.kind}~{document.key}~{content}"
        app.ledger.documents.create("set_aside", key, note, Index(due_ns=now + LOOK_AGAIN_NS))
    except Exists:
        return
    app.log("ERROR", f"a record is set aside: {fault}", **place)


def not_due(app: App, fault: NotActedOn) -> None:
    """Note an incident, and take it out of what the sweep goes through: nothing but that is changed about it."""
    set_aside(app, fault)
    document, index = fault.document, NO_INDEX
    body = document.body if fault.damaged is None else {"damaged": fault.damaged}
    with suppress(NotActedOn):
        index = replace(index_of(open_incident(document, app.ledger.seal).incident), due_ns=None)
    with suppress(Conflict):
        app.ledger.documents.replace(document, body, index)


def look_again(app: App, note: Document) -> str:
    """Look at the place that a note names; raises NotActedOn where what stands there is still not acted on."""
    index = Index(due_ns=app.now_ns() + LOOK_AGAIN_NS)
    try:
        _bring_back(app, str(note.body.get("kind")), str(note.body.get("key")))
        index = replace(index, due_ns=None)
    finally:
        with suppress(Conflict):
            app.ledger.documents.replace(note, note.body, index)
    return "readable again"


def _bring_back(app: App, kind: str, key: str) -> None:
    if kind == "standing":
        app.ledger.standing_at(key)
        app.ledger.schedule_drift_check(key, app.now_ns())
    elif held := app.ledger.find(key):
        if not held.acts:
            raise newer(held.document)
        with suppress(Conflict):
            app.ledger.documents.replace(held.document, held.document.body, index_of(held.incident))
