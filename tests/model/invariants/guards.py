"""What a person has to have been asked about, at a containing write."""

from __future__ import annotations

from collections.abc import Callable

from tests.model.clock import HOUR
from tests.model.cloud import Resource, place_of
from tests.model.history import History, Wrote
from tests.model.invariants.kinds_of_writes import approval_of, is_containing
from tests.model.people import PUBLIC
from tests.model.policies import (
    APPROVE_NS,
    IN_ALL,
    PER_PROJECT,
    PROTECTED_LABEL,
    PROTECTED_PROJECT,
    RELEASED_NS,
    SAID,
    STALE_NS,
)
from tests.model.reference import counted, key_of, place_of_incident, planned_places, touches, uid_at
from tests.model.stage import Stage
from tests.model.watch import SCC

_NOT_HELD = frozenset({"released", "closed", "rejected", "expired", "monitored", "declined"})
_ANEW = frozenset({"delete", "recreate"})


def _policy(stage: Stage, wrote: Wrote) -> str:
    """The policy's own mode; where it contains on expiry, once its question has stood all its time."""
    assert wrote.incident
    said = SAID[wrote.incident.finding.category]
    if said.mode == "enforce":
        return ""
    looks = stage.history.looks.get(wrote.incident.id, ())
    asked = [
        one.incident.question.asked_ns for one in looks if one.incident.phase == "waiting" and one.incident.question
    ]
    stood = said.contains_on_expiry and asked and wrote.at_ns - asked[0] >= APPROVE_NS
    return "" if stood else "the policy asks a person"


def _ceiling(_: Stage, wrote: Wrote) -> str:
    return "the ceiling is approve" if wrote.ceiling == "approve" else ""


def _protected(stage: Stage, wrote: Wrote) -> str:
    """Any target of the plan; what came to be so in this very step may have been read before."""
    assert wrote.incident
    changes = wrote.incident.plan.changes if wrote.incident.plan else ()
    for place in sorted({*(place_of(one.target) for one in changes), wrote.place}):
        resource = wrote.resources.get(place)
        under_etag = place == wrote.place and wrote.change.surface in ("service", "worker_pool")
        if not under_etag and any(one.place == place and one.step == wrote.step for one in stage.history.did):
            continue
        if place.startswith(f"{PROTECTED_PROJECT}/") or (resource and _is_labelled(resource)):
            return f"{place} is protected"
    return ""


def _is_labelled(resource: Resource) -> bool:
    name, value = PROTECTED_LABEL
    return resource.target.kind != "service_account" and resource.labels.get(name) == value


def _stale(stage: Stage, wrote: Wrote) -> str:
    """Over an hour old at the first claim, by the newest event that counts."""
    assert wrote.incident
    events = counted(stage.ground.scc, key_of(wrote.incident), wrote.at_ns)
    claimed_ns = wrote.incident.created_ns
    stale = bool(events) and claimed_ns - max(one.at_ns for one in events) > STALE_NS
    return "every event was over an hour old when the first of them came" if stale else ""


def _unconfirmed(_: Stage, wrote: Wrote) -> str:
    return "SCC did not answer" if wrote.away.get(SCC, wrote.step) < wrote.step else ""


def _released(stage: Stage, wrote: Wrote) -> str:
    """Released by a person within a day, and since then nobody has made it anew."""
    history = stage.history
    for told in history.told:
        if told.command.verb != "release" or not told.done or told.step >= wrote.step:
            continue
        there = {one.place for one in history.writes if one.step == told.step}
        recent = 0 <= wrote.at_ns - told.at_ns < RELEASED_NS
        same = uid_at(history, wrote.place, told.seq) == wrote.before.uid
        if recent and same and wrote.place in there:
            return "a person released it within the last day"
    return ""


def _contained(stage: Stage, wrote: Wrote) -> str:
    """Contained already by another incident."""
    assert wrote.incident
    own = wrote.incident.id
    others = [one for one in stage.history.looks if one != own and _contained_by(stage.history, one, wrote)]
    return f"incident {others[0]} contained it already" if others else ""


def _contained_before(stage: Stage, wrote: Wrote) -> str:
    """Contained already by the same incident: what is open again, or is to be closed beside it, is asked about."""
    assert wrote.incident
    return "it was contained already" if _contained_by(stage.history, wrote.incident.id, wrote) else ""


def _contained_by(history: History, incident: str, wrote: Wrote) -> bool:
    """Whether the incident was contained there, was not released since, and the resource is still the same."""
    looks = [one for one in history.looks.get(incident, ()) if one.step < wrote.step]
    if not looks or history.is_tampered(incident) or looks[-1].incident.phase in _NOT_HELD:
        return False
    for look in reversed(looks):
        if look.incident.phase in _NOT_HELD or str(look.incident.phase) == "releasing":
            return False
        was_there = look.incident.phase == "contained" and wrote.place in planned_places(look.incident)
        if was_there and not _made_anew(history, wrote.place, look.step) and _held_there(history, incident, wrote):
            return True
    return False


def _made_anew(history: History, place: str, step: int) -> bool:
    return any(one.place == place and one.step > step and one.what in _ANEW for one in history.did)


def _held_there(history: History, incident: str, wrote: Wrote) -> bool:
    """Whether the incident wrote there itself, so that its hold is beyond doubt."""
    return any(
        one.place == wrote.place and one.step < wrote.step and one.incident and one.incident.id == incident
        for one in history.writes
    )


def _shared(_: Stage, wrote: Wrote) -> str:
    return "a service account is shared by nature" if wrote.change.surface == "service_account" else ""


def _changed(stage: Stage, wrote: Wrote) -> str:
    """Suspects by age alone, on a service that others changed between the event and Firebreak's first write to it."""
    assert wrote.incident
    history, place = stage.history, place_of_incident(wrote.incident)
    events = counted(stage.ground.scc, key_of(wrote.incident), wrote.at_ns)
    if not events or wrote.place != place or any(one.names or one.digests for one in events):
        return ""
    newest_ns = max(one.at_ns for one in events)
    first = min((one.seq for one in history.writes if one.place == place), default=wrote.seq)
    by_others = [one for one in history.did if one.place == place and newest_ns < one.at_ns and one.seq < first]
    moved = [
        one for one in by_others if one.what in _ANEW or touches(one) - {PUBLIC} or _deployed(one.before, one.after)
    ]
    return "its suspects are told by age alone, and others have changed the service since" if moved else ""


def _deployed(before: Resource | None, after: Resource | None) -> bool:
    return before is not None and after is not None and len(before.revisions) < len(after.revisions)


def _region(_: Stage, wrote: Wrote) -> str:
    """A further region that must not be read."""
    here = wrote.before.target
    for region in wrote.before.regions:
        there = f"{here.project}/{region}/{here.kind}/{here.name}"
        if region != here.location and f"read {there}" in wrote.denied:
            return f"{there} must not be read"
    return ""


def _blast_radius(stage: Stage, wrote: Wrote) -> str:
    """More targets than the limits within the hour; counted are incidents that are not older than that themselves."""
    history = stage.history
    recent = [one for one in history.writes if one.seq <= wrote.seq and _is_recent(one, wrote)]
    alone = [one for one in recent if is_containing(history, one) and approval_of(history, one) is None]
    targets = {one.place for one in alone}
    project = {one for one in targets if one.partition("/")[0] == wrote.place.partition("/")[0]}
    if wrote.place in {one.place for one in alone if one.seq < wrote.seq}:
        return ""
    if len(project) > PER_PROJECT:
        return f"it is the {len(project)}th target in its project within the hour"
    return f"it is the {len(targets)}th target within the hour" if len(targets) > IN_ALL else ""


def _is_recent(one: Wrote, wrote: Wrote) -> bool:
    return one.incident is not None and wrote.at_ns - one.incident.created_ns < HOUR


NEEDS: tuple[tuple[str, Callable[[Stage, Wrote], str]], ...] = (
    ("", _policy),
    ("ceiling", _ceiling),
    ("protected", _protected),
    ("stale", _stale),
    ("unconfirmed", _unconfirmed),
    ("released", _released),
    ("contained", _contained),
    ("", _contained_before),
    ("shared", _shared),
    ("changed", _changed),
    ("regions", _region),
    ("blast_radius", _blast_radius),
)
"""A caution that the question has to name, empty where a yes suffices; and what says why, empty where nothing does."""
