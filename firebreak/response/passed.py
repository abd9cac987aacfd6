"""Events that SCC has passed: what only their messages name is asked about, after what counts has been done."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.containment.observation import Around
from firebreak.core.errors import Refused
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.mode import Cap
from firebreak.core.policy.policy import Policy
from firebreak.ledger.records import StoredIncident
from firebreak.response.app import App
from firebreak.response.confirm import Confirmed
from firebreak.response.decide import replanned, ruling_on
from firebreak.response.observe import Readings
from firebreak.response.rest import ask

_DONE: frozenset[Phase] = frozenset({"contained", "declined", "failed"})
"""What counts has been done by then, as far as there was anything to do."""


def ask_about_passed(
    app: App, held: StoredIncident, policy: Policy, confirmed: Confirmed, readings: Readings
) -> StoredIncident:
    """Ask once about each such event: a yes makes it count, and what it names suspect."""
    incident = held.incident
    if incident.phase not in _DONE or not any(_unasked(one) for one in incident.events):
        return held
    try:
        _, around = replanned(app, incident, policy, confirmed, readings)
    except Refused:
        return held
    for event in filter(_unasked, incident.events):
        if named := _named(event, incident, around):
            asked = replace(event, suspects={around.own.target.key: tuple(sorted(named))})
            supposed = _with_event(incident, replace(asked, status="counts"))
            plan, around = replanned(app, supposed, policy, confirmed, readings)
            ruling = ruling_on(app, supposed, policy, confirmed, around, plan, readings)
            names = ", ".join(sorted({*named, *event.digests}))
            reason = f"SCC holds a later event than {event.id}, and only the message of that one names {names}"
            caps = (*ruling.caps, Cap("passed", "caution", reason, event.id))
            held = replace(held, incident=_with_event(incident, asked))
            return ask(app, held, policy, plan, caps, around, reason, supposed=supposed)
    return held


def _unasked(event: Event) -> bool:
    return event.status == "passed" and not event.suspects and bool(event.named or event.digests)


def _named(event: Event, incident: Incident, around: Around) -> frozenset[str]:
    """What the message names, by name or by image, that something leads to and that is not suspect anyway."""
    own = around.own
    if own.workload is None or own.case is None:
        return frozenset()
    images = frozenset(event.digests)
    found = {
        one.name
        for one in own.workload.revisions
        if one.name in event.named or (not event.named and one.digests & images)
    }
    return frozenset(found) - own.case.suspects - incident.suspects_on(own.target)


def _with_event(incident: Incident, event: Event) -> Incident:
    return replace(incident, events=tuple(event if one.id == event.id else one for one in incident.events))
