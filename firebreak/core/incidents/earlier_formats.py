"""What an incident of an earlier version becomes: only what its seal covered leads to anything, through the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from firebreak.core.cloud_run.target import Target
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.incident import Entry, Incident, Wait
from firebreak.core.incidents.question import Question
from firebreak.core.incidents.release import Release
from firebreak.core.timestamps import NANOS

_DAY_NS = 24 * 3600 * NANOS
_PASSES: Mapping[str, str] = MappingProxyType({"halt": "halt", "unverified": "unconfirmed"})
"""The bars that may pass, and what an incident waits for that was recorded only because of one."""


def as_of_today(incident: Incident, saved_in: int, now_ns: int) -> Incident:
    """The incident that was saved in an earlier format, as this version goes on with it; the same for the same time.

    An open one is decided anew. One that was only recorded, within a day, because of what may pass, waits for that. Any
    other stays as it ended. What format 1 did not seal is shown, and leads to nothing.
    """
    believed = _believed(incident) if saved_in == 1 else incident
    believed = replace(believed, events=(_own_event(incident, saved_in),), answer=None, release=None)
    waits = _waits(incident) if 0 <= now_ns - incident.updated_ns < _DAY_NS else None
    if waits:
        told = _told(believed, f"saved by an earlier version: it waits, and is decided anew ({waits.reason})")
        events = tuple(replace(one, decided=False) for one in told.events)
        return replace(told, phase="deferred", waits=waits, events=events, next_ns=waits.since_ns)
    if not incident.open:
        return believed
    return replace(
        _told(believed, "saved by an earlier version: it is decided anew"),
        phase="received",
        question=_over(incident.question),
        release=Release(incident.release.by) if incident.release else None,
        reopened=(),
        next_ns=None,
    )


def with_told_events(incident: Incident, told: Iterable[tuple[str, int]]) -> Incident:
    """The incident with events of which an earlier version kept the id, and when it was first told, and no more.

    None of them is decided. Their own times are not known: SCC holds the newest, which is none before the finding's.
    """
    known, at_ns = {one.id for one in incident.events}, incident.finding.event_ns
    new = (Event(key, at_ns, seen_ns) for key, seen_ns in sorted(told, key=lambda one: one[1]) if key not in known)
    return replace(incident, events=(*incident.events, *new))


def _believed(incident: Incident) -> Incident:
    """Where format 1 kept it: which targets it holds beside its own is told by the plans, which it sealed."""
    plans = [one for one in (incident.done, incident.plan) if one]
    targets = {target.key: target for one in plans for target in one.targets}
    own = incident.finding.target
    further = tuple(one for one in targets.values() if not (isinstance(own, Target) and one.key == own.key))
    return replace(incident, further=further, failed_on={}, away={}, waits=None, floors={})


def _own_event(incident: Incident, saved_in: int) -> Event:
    """The event that began it; format 1 sealed of the finding no more than the workload."""
    finding, target = incident.finding, incident.finding.target
    named = tuple(sorted(target.named)) if isinstance(target, Target) else ()
    digests = () if saved_in == 1 else tuple(sorted(finding.digests))
    decided = incident.phase != "received"
    return Event(incident.id, finding.event_ns, incident.created_ns, decided=decided, named=named, digests=digests)


def _waits(incident: Incident) -> Wait | None:
    """What it would have waited for; None where it was not only recorded, or for another reason."""
    caps = incident.decision.caps if incident.decision and incident.phase == "monitored" else ()
    bar = next((one for one in caps if one.kind == "bar" and one.name in _PASSES), None)
    return Wait(_PASSES[bar.name], bar.reason, incident.updated_ns) if bar else None


def _over(question: Question | None) -> Question | None:
    """A question that nobody's answer counts for any more."""
    if question is None or question.digest in question.asked_before:
        return question
    return replace(question, asked_before=(*question.asked_before, question.digest))


def _told(incident: Incident, what: str) -> Incident:
    """With a line of history at the time of its last save, so that every reading tells the same."""
    return replace(incident, history=(*incident.history, Entry(incident.updated_ns, "firebreak", what)))
