"""Events that are asked about once what counts is done: passed by SCC, or of an image that nothing carries."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.actions.suspects import not_shared
from firebreak.core.containment.observation import Around
from firebreak.core.errors import Refused
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.question import MOST_ESCALATIONS
from firebreak.core.mode import Cap
from firebreak.core.policy.policy import Policy
from firebreak.ledger.records import StoredIncident
from firebreak.response.app import App
from firebreak.response.confirm import Confirmed, confirm
from firebreak.response.decide import replanned, ruling_on
from firebreak.response.readings import Readings
from firebreak.response.rest import UNANSWERED, ask

_DONE: frozenset[Phase] = frozenset({"contained", "declined", "failed"})
"""What counts has been done by then, as far as there was anything to do."""


def ask_about_events(
    app: App, held: StoredIncident, policy: Policy, confirmed: Confirmed, readings: Readings
) -> StoredIncident:
    """Ask about each such event that no person has answered for.

    A yes makes one that SCC has passed count, and what it names suspect; the other convicts nobody.
    """
    incident = held.incident
    if incident.phase not in _DONE or not any(map(_unanswered, incident.events)):
        return held
    try:
        plan, around = replanned(app, incident, policy, confirmed, readings)
    except Refused:
        return held
    judged = _judged(app, incident, confirmed)
    for event in filter(_unanswered, incident.events):
        if event.status == "passed" and (named := _named(event, judged, around)):
            asked = replace(event, suspects={around.own.target.key: tuple(sorted(named))})
            supposed = _with_event(incident, replace(asked, status="counts"))
            plan, around = replanned(app, supposed, policy, confirmed, readings)
            confirmed = confirm(supposed, readings)
            names = ", ".join(sorted({*named, *event.digests}))
            reason = f"{event.id} was not confirmed by SCC, which holds a later event: only its message names {names}"
            held = replace(held, incident=_with_event(incident, asked))
        elif event.status == "counts" and incident.phase != "failed" and _carried_by_nobody(event, around):
            supposed = incident
            images = ", ".join(event.digests)
            reason = f"nothing that is suspect carries an image of event {event.id} ({images}): it may be elsewhere"
        else:
            continue
        ruling = ruling_on(app, supposed, policy, confirmed, around, plan, readings)
        name = "passed" if event.status == "passed" else "unplaced"
        caution = Cap(name, "caution", reason, event.id)
        if (escalated := _expired(caution, incident, app.now_ns())) > MOST_ESCALATIONS:
            over = _with_event(incident, replace(event, answered=True))
            return app.ledger.save(held, over.with_history(app.now_ns(), "firebreak", f"{reason}: {UNANSWERED}"))
        caps = (*ruling.caps, caution)
        return ask(app, held, policy, plan, caps, around, reason, escalated=escalated, supposed=supposed)
    return held


def _judged(app: App, incident: Incident, confirmed: Confirmed) -> Incident:
    """The incident that has the event that SCC holds: this one, or another of the finding."""
    told = app.ledger.event_of(confirmed.finding)
    other = app.ledger.read(told.incident) if told and told.incident != incident.id else None
    return other.incident if other else incident


def _expired(caution: Cap, incident: Incident, now_ns: int) -> int:
    """How often a question with that caution has expired."""
    last = incident.question
    return last.escalated + (last.expires_ns <= now_ns) if last and caution.key in last.cautions else 0


def _unanswered(event: Event) -> bool:
    """Whether a person may have to be asked about it: it tells of something, and has made nothing suspect."""
    told = bool(event.named or event.digests)
    none = event.status == "passed" or (event.status == "counts" and not event.suspects)
    return told and none and not event.answered


def _carried_by_nobody(event: Event, around: Around) -> bool:
    """Whether no suspect carries an image of an event that names nothing else."""
    own = around.own
    if event.named or own.workload is None or own.case is None:
        return False
    images = not_shared(frozenset(event.digests), own.workload.revisions)
    return not any(one.digests & images for one in own.workload.revisions if one.name in own.case.suspects)


def _named(event: Event, judged: Incident, around: Around) -> frozenset[str]:
    """What the message names, by name or by image, that is not suspect anyway."""
    own = around.own
    if own.workload is None or own.case is None:
        return frozenset()
    images = frozenset(event.digests)
    found = {
        one.name
        for one in own.workload.revisions
        if one.name in event.named or (not event.named and one.digests & images)
    }
    return frozenset(found) - judged.suspects_on(own.target)


def _with_event(incident: Incident, event: Event) -> Incident:
    return replace(incident, events=tuple(event if one.id == event.id else one for one in incident.events))
