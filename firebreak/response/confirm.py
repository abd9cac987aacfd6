"""SCC's word on the events of an incident: whose word to take, how far to trust it, and which events count."""

from __future__ import annotations

from dataclasses import dataclass, replace

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.containment.guard_input import Trust
from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.triage import not_ours
from firebreak.response.readings import CLOUD_RUN, Away, Readings

_ASK_AGAIN = (0.3, 0.7, 1.5)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What SCC says: the finding to go by, how far to trust it, why not further, and the events with their status."""

    finding: Finding
    trust: Trust
    reason: str
    events: tuple[Event, ...] = ()


def confirm(incident: Incident, readings: Readings) -> Confirmed:
    """Read the finding from SCC; where it does not hold what was told yet it is asked again for a few seconds.

    Raises Away.
    """
    for pause in (*_ASK_AGAIN, None):
        try:
            found = readings.finding(incident.finding)
        except Transient as fault:
            if readings.waits_for("SCC"):
                raise Away("SCC", fault) from None
            return Confirmed(incident.finding, "unreachable", str(fault), incident.events)
        except Refused as fault:
            return Confirmed(incident.finding, "unreachable", str(fault), incident.events)
        confirmed = _compare(incident, found, readings)
        ahead = any(one.status == "new" for one in incident.events) and any(
            one.status == "unconfirmed" for one in confirmed.events
        )
        settled = confirmed.trust in ("confirmed", "differs") and not ahead
        if settled or pause is None or readings.deadline.passed or not readings.deadline.waits:
            return confirmed
        readings.deadline.pause(pause)
        readings.forget_finding()
    raise AssertionError  # pragma: no cover - the loop returns on its last turn


def _compare(incident: Incident, found: Finding | None, readings: Readings) -> Confirmed:
    """SCC's word wins. It keeps a finding's newest state alone: earlier events are past, later ones not yet held."""
    told, organization = incident.finding, readings.app.policies.config.organization
    if found is None:
        return Confirmed(told, "missing", "SCC does not hold this finding", _not_held(incident.events))
    found = _of_one_workload(found, readings)
    told = _as_held(told, found, readings)
    if reason := difference(told, found, organization):
        believed = told if isinstance(found.target, NotATarget) else found
        return Confirmed(believed, "differs", reason, _not_held(incident.events))
    events = tuple(_classified(one, found) for one in incident.events)
    now = next((one for one in events if one.id == found.incident_id), None)
    trust: Trust = "older"
    reason = "SCC holds an older state of this finding than the message tells"
    ahead = now is None and not any(one.unheld for one in events)
    other = readings.app.ledger.event_of(found) if ahead else None
    if other is not None and other.incident != incident.id:
        trust, reason = "elsewhere", f"SCC holds a later event than the message tells, that of {other.incident}"
        found = _as_told(found, told)
    elif now is None and any(one.status == "passed" for one in events) and not incident.full:
        events = (*events, Event(found.incident_id, found.event_ns, readings.app.now_ns(), "counts"))
    elif now is not None and now.decided:
        # What SCC has passed is decided as the event that it holds now, and that was decided.
        events = tuple(replace(one, decided=True) if one.status == "passed" else one for one in events)
    if not any(one.status == "counts" for one in events):
        return Confirmed(found, trust, reason, events)
    return Confirmed(found, "confirmed", "", events)


def _as_told(found: Finding, told: Finding) -> Finding:
    """SCC's finding with what the message names: what SCC names is decided by the incident that has that event."""
    one, other = told.target, found.target
    if isinstance(one, NotATarget) or isinstance(other, NotATarget):
        return found
    return replace(
        found, target=replace(other, revision=one.revision, execution=one.execution), containers=told.containers
    )


def _of_one_workload(found: Finding, readings: Readings) -> Finding:
    """The finding with its target known under both spellings that it has of the project; raises Away.

    Where both cannot be read, or are two, nobody knows which is meant.
    """
    target = found.target
    if isinstance(target, NotATarget) or not target.also:
        return found
    other = _spelled(target, target.also)
    if _are_one(target, other, readings):
        known = replace(
            target,
            also="",
            project_id=target.project_id or other.project_id,
            project_number=target.project_number or other.project_number,
        )
        return replace(found, target=known)
    reason = f"nothing tells whether the projects {target.project} and {target.also} are one"
    return replace(found, target=NotATarget(reason, f"//run.googleapis.com/{target.resource}"))


def _as_held(told: Finding, found: Finding, readings: Readings) -> Finding:
    """The message's finding under SCC's spelling of its project, where both names are of one workload; raises Away."""
    one, other = told.target, found.target
    if isinstance(one, NotATarget) or isinstance(other, NotATarget) or one.same_workload(other):
        return told
    return replace(told, target=other) if one.may_be(other) and _are_one(one, other, readings) else told


def _are_one(one: Target, other: Target, readings: Readings) -> bool:
    """Whether both names are read as one resource; raises Away."""
    try:
        first, second = (readings.workload(each).uid for each in (one, other))
    except Transient as fault:
        if readings.waits_for(CLOUD_RUN):
            raise Away(CLOUD_RUN, fault) from None
        return False
    except Refused:
        return False
    return bool(first) and first == second


def _spelled(target: Target, project: str) -> Target:
    number = project if project.isdigit() else None
    return replace(target, project=project, also="", project_id=None if number else project, project_number=number)


def _classified(event: Event, found: Finding) -> Event:
    """An event that counted once counts for good. Of one that an earlier version told of, only the id is known."""
    if event.id == found.incident_id:
        event = replace(event, event_ns=found.event_ns)
    if event.status == "counts" or event.event_ns == found.event_ns:
        return replace(event, status="counts")
    return replace(event, status="passed" if event.event_ns < found.event_ns else "unconfirmed")


def _not_held(events: tuple[Event, ...]) -> tuple[Event, ...]:
    return tuple(replace(one, status="unconfirmed") if one.status == "new" else one for one in events)


def left_open(incident: Incident, found: Finding, organization: str | None) -> bool:
    """Whether a finding that SCC is said to hold active and unmuted was not decided with the incident of its event.

    What was declined for something that has passed, an event that was given up or is all that is waited for, or one
    that ended an incident because its message told it otherwise than SCC held it; not what a person has judged.
    """
    event = next((one for one in incident.events if one.id == found.incident_id), None)
    if incident.reopens or event is None:
        return incident.reopens or incident.open
    if event.status != "unconfirmed" or incident.open:
        return event.status == "unconfirmed" and (event.decided or not incident.counting)
    judged = event.id == incident.id and incident.phase in ("closed", "rejected")
    return not judged and difference(found, incident.finding, organization) is None


def difference(told: Finding, held: Finding, organization: str | None) -> str | None:
    """How SCC holds the finding differently: another organization, workload or category; None if it does not."""
    if stranger := not_ours(held, organization):
        return f"as SCC holds the finding, {stranger}"
    if organization is not None and held.organization is None:
        return "neither the finding's name nor its resource says of which organization it is"
    if held.category != told.category:
        return "SCC holds this finding with another category than the message tells"
    if isinstance(held.target, NotATarget):
        # One on Cloud Run that cannot be read is asked about.
        return None if held.target.name else f"as SCC holds the finding, {held.target.reason}"
    if isinstance(told.target, Target) and not told.target.same_workload(held.target):
        return "SCC holds this finding for another workload than the message tells"
    return None
