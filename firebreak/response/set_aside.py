"""Records that this version does not act on: each is noted with its place and told once, and stops nothing else.

The note has what stood there, word for word. A sweep looks again at each place: once the record there can be acted on,
repaired or by the version that it belongs to, it is due as before.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Standing
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
ALL = "all"
"""What a person gives up in place of a setting: every one, also where it is not known which they are."""


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
    try:
        index = replace(index_of(open_incident(document, app.ledger.seal).incident), due_ns=None)
    except NotActedOn:
        # What it was about is told by its events, so that whoever turns to that target still learns of it.
        for event in app.ledger.events_of(document.key):
            target = event.finding.target
            index = Index(subject=target.key) if isinstance(target, Target) else index
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
    elif held := app.ledger.find(key):
        if not held.acts:
            raise newer(held.document)
        with suppress(Conflict):
            app.ledger.documents.replace(held.document, held.document.body, index_of(held.incident))


def give_up_unknown(app: App, held: StoredIncident, by: str) -> StoredIncident:
    """Begin anew what is known of each target where it is not believed: a person has restored it by hand.

    Raises NotActedOn for what a newer version saved, and NoKey.
    """
    for target in held.incident.targets:
        try:
            app.ledger.standing_of(held.incident, target)
        except (BrokenSeal, UnreadableRecord) as fault:
            what = f"gave up what was known of {target.place}: {fault}"
            empty = Standing(fault.place.key, place=target, released_ns=app.now_ns())
            anew = app.ledger.standing_save(empty, fault.document, anew=True)
            held = app.ledger.save(held, held.incident.with_history(app.now_ns(), by, what), anew)
    return held
