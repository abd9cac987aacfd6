"""The outbox: what an incident has to tell is saved with it, sent, and marked; nothing is lost, little is doubled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from adapters.deadline import Deadline
from adapters.webhook import post
from app import App
from core import chat
from core.errors import Refused, Transient
from core.incident import Announcement, Incident
from core.instants import NANOS
from core.place import kind_and_place
from core.record import attributes, record
from core.target import Target
from ledger import Held
from stages.blast_radius import tells_of_the_storm

_PEOPLE = frozenset({"slack", "chat"})


def channels(app: App) -> tuple[str, ...]:
    """Where announcements go: the log always, the others where they are configured."""
    configured = {
        "log": True,
        "topic": app.settings.incidents_topic is not None,
        "marks": app.marks,
        "slack": app.settings.slack_webhook is not None,
        "chat": app.settings.chat_webhook is not None,
    }
    return tuple(name for name, on in configured.items() if on)


def channels_in_a_storm(app: App, incident: Incident) -> tuple[str, ...]:
    """The same; but of all questions that a used-up limit raises within an hour, only the first is told in chat.

    A hundred messages would bury the one that has to be read; programs still get every record.
    """
    caps = incident.decision.caps if incident.decision else ()
    if all(cap.name != "blast_radius" for cap in caps) or tells_of_the_storm(app, incident.id):
        return channels(app)
    return tuple(name for name in channels(app) if name not in _PEOPLE)


class Unsent(Transient):
    """A channel could not be reached; what it is to tell stays in the outbox."""


def flush(app: App, held: Held, deadline: Deadline) -> Held:
    """Send what is unsent. An unreachable channel raises Unsent; one that refuses is tried again by the sweep.

    Only a mark that SCC refuses, and a channel that is configured no more, are given up, on the record.
    """
    unreachable: Unsent | None = None
    for one in held.incident.outbox:
        if one.sent:
            continue
        try:
            _SENDERS[one.channel](app, held.incident, one, deadline)
        except Transient as fault:
            unreachable = Unsent(str(fault))
            continue
        except Refused as fault:
            held = _refused(app, held, one, str(fault))
            continue
        except Exception as fault:  # noqa: BLE001 - one channel's bug must not keep the others from telling
            held = _refused(app, held, one, f"a fault in Firebreak itself: {kind_and_place(fault)}")
            continue
        held = app.ledger.save(held, held.incident.sent(one))
    if unreachable is not None:
        raise unreachable
    return held


def _refused(app: App, held: Held, one: Announcement, why: str) -> Held:
    """A grant or a webhook may be mended, so the announcement stays; it is told once that it waits."""
    what = f"{one.channel} refused the announcement: {why}"
    app.say("ERROR", what, incident=held.incident.id, announcement=_id(held.incident, one))
    known = any(entry.what == what for entry in held.incident.history)
    told = held.incident if known else held.incident.told(app.now_ns(), "firebreak", what)
    final = one.channel == "marks" or one.channel not in channels(app)
    return app.ledger.save(held, told.sent(one) if final else told)


def _id(incident: Incident, one: Announcement) -> str:
    return f"{incident.id}/{one.number}/{one.channel}"


def _to_log(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:  # noqa: ARG001 - one shape
    caps = incident.decision.caps if incident.decision else ()
    alert = one.phase == "failed" or any(cap.name in ("unverified", "seal") for cap in caps)
    severity = "ERROR" if alert else "WARNING" if one.phase == "waiting" else "NOTICE"
    app.say(
        severity,
        headline(incident),
        incident=incident.id,
        phase=one.phase,
        announcement=_id(incident, one),
        record=record(incident),
        **_took(incident, one),
    )


def _took(incident: Incident, one: Announcement) -> Mapping[str, float]:
    """From the first sight of the finding to its containment, where that is the first thing told: nobody was asked."""
    if one.phase != "contained" or one.number > 1:
        return {}
    return {"seconds_to_contain": round((incident.updated_ns - incident.created_ns) / NANOS, 3)}


def _to_topic(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:
    topic = app.settings.incidents_topic
    if topic is None:
        message = "no incidents topic is configured any more"
        raise Refused(message)
    data = json.dumps(record(incident), ensure_ascii=False).encode()
    app.publisher.publish(topic, data, {**attributes(incident), "announcement": _id(incident, one)}, deadline)


def _to_marks(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:
    if incident.decision is None:
        return  # only a message told of it: SCC was not asked, and no call is made about what may not be ours
    marks = {"firebreak_state": one.phase, "firebreak_incident": incident.id}
    if incident.decision and incident.decision.policy:
        marks["firebreak_policy"] = incident.decision.policy
    app.scc.mark(incident.finding, marks, deadline.sooner(10))


def _to_slack(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:
    post(app.settings.slack_webhook or "", chat.slack_message(incident, _id(incident, one)), deadline)


def _to_chat(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:
    post(app.settings.chat_webhook or "", chat.google_chat_message(incident, _id(incident, one)), deadline)


_SENDERS: Mapping[str, Callable[[App, Incident, Announcement, Deadline], None]] = MappingProxyType(
    {"log": _to_log, "topic": _to_topic, "marks": _to_marks, "slack": _to_slack, "chat": _to_chat}
)


def headline(incident: Incident) -> str:
    """One sentence for people: what, where, and how it stands."""
    target = incident.finding.target
    where = target.resource if isinstance(target, Target) else "no Cloud Run workload"
    last = incident.history[-1].what if incident.history else ""
    return f"{incident.phase}: {incident.finding.category or 'a finding'} on {where}: {last}"
