"""Once a week, what was done in it goes to the topic, in figures, by the sweep."""

from __future__ import annotations

import json
from contextlib import suppress

from firebreak.core.reports.report import as_json
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Conflict, Document, Save, even_damaged
from firebreak.ledger.figures import figures_of
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

WEEK_NS = 7 * 24 * 3600 * NANOS
_KIND, _KEY = "report", "weekly"


def publish_weekly(app: App, deadline: Deadline) -> str | None:
    """Publish the figures where a week is over; at least once. Raises Refused or Transient, and is then due again."""
    topic, now = app.settings.incidents_topic, app.now_ns()
    document = even_damaged(lambda: app.ledger.documents.read(_KIND, _KEY))
    said = document.body.get("until_ns") if document else None
    told = said if isinstance(said, int) and said <= now else None
    if topic is None or (told is not None and now - told < WEEK_NS):
        return None
    if told is not None:
        body = as_json(figures_of(app.ledger, told, now))
        app.publisher.publish(topic, json.dumps(body, ensure_ascii=False).encode(), {"report": "weekly"}, deadline)
    _remember(app, document, now)
    return None if told is None else "weekly reports"


def _remember(app: App, document: Document | None, until_ns: int) -> None:
    """Until when it was told: the next one goes on from there. The first sweep of all only notes the time."""
    with suppress(Conflict):  # another sweep has told of it too: better twice than never
        app.ledger.documents.commit([Save(_KIND, _KEY, {"until_ns": until_ns}, over=document)])
