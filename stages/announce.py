"""The outbox: what an incident has to tell is saved with it, sent, and marked; nothing is lost, little is doubled."""

from __future__ import annotations

import json

from adapters.deadline import Deadline
from app import App
from core.errors import Refused, Transient
from core.incident import Incident
from core.record import attributes, record
from ledger import Held


def channels(app: App) -> tuple[str, ...]:
    """Where announcements go: the log always, the incidents topic where one is set."""
    return ("log", "topic") if app.settings.incidents_topic else ("log",)


def flush(app: App, held: Held, deadline: Deadline) -> Held:
    """Send what is unsent. A channel that cannot be reached raises Transient; one that refuses is given up, recorded."""
    unreachable: Transient | None = None
    for one in held.incident.outbox:
        if one.sent:
            continue
        try:
            _send(app, held.incident, one.number, one.channel, deadline)
        except Transient as fault:
            unreachable = fault
            continue
        except Refused as fault:
            app.say("ERROR", f"the announcement was refused for good: {fault}", incident=held.incident.id)
            told = held.incident.told(app.now_ns(), "firebreak", f"{one.channel} refused the announcement: {fault}")
            held = app.ledger.save(held, told.sent(one))
            continue
        held = app.ledger.save(held, held.incident.sent(one))
    if unreachable is not None:
        raise unreachable
    return held


def _send(app: App, incident: Incident, number: int, channel: str, deadline: Deadline) -> None:
    announcement = f"{incident.id}/{number}/{channel}"
    if channel == "log":
        severity = "WARNING" if incident.phase in ("failed", "waiting") else "NOTICE"
        body = record(incident)
        app.say(severity, headline(incident), incident=incident.id, announcement=announcement, record=body)
        return
    topic = app.settings.incidents_topic
    if topic is None:
        message = "no incidents topic is configured any more"
        raise Refused(message)
    body = record(incident)
    data = json.dumps(body, ensure_ascii=False).encode()
    app.publisher.publish(topic, data, {**attributes(incident), "announcement": announcement}, deadline)


def headline(incident: Incident) -> str:
    """One sentence for people: what, where, and how it stands."""
    target = getattr(incident.finding.target, "resource", "no Cloud Run workload")
    last = incident.history[-1].what if incident.history else ""
    return f"{incident.phase}: {incident.finding.category or 'a finding'} on {target}: {last}"
