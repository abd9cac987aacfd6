"""The sixth invariant: what a release leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.incidents.incident import Incident
from tests.model.cloud import Resource
from tests.model.history import Violated, Wrote
from tests.model.invariants.kinds_of_writes import is_containing, releases_under_way
from tests.model.reference import (
    ENDED,
    is_about_traffic,
    led_to,
    place_of_incident,
    planned_places,
    suspects_of,
    theirs,
    touches,
)
from tests.model.stage import Stage


def check_released(stage: Stage) -> None:
    """After a release each key is at its origin, a person's, gone, or still held with the reason."""
    for incident in _newly_released(stage):
        for place, keys in _written(stage, incident).items():
            resource = stage.look(place)
            uid = next(one.before.uid for one in reversed(stage.history.writes) if one.place == place)
            if resource is None or resource.uid != uid or _others_hold(stage, incident, place):
                continue
            for key in sorted(keys):
                if wrong := _wrong(stage, resource, key):
                    message = f"{incident.id} is released, and {key} of {place} is {wrong}"
                    raise Violated(6, message)


def _newly_released(stage: Stage) -> Iterator[Incident]:
    history = stage.history
    for looks in history.looks.values():
        last = looks[-1]
        before = history.before_step(last.incident.id, history.step)
        if last.incident.id not in history.saved or history.is_tampered(last.incident.id):
            continue
        if last.step == history.step and last.incident.phase == "released" and not _was_released(before):
            yield last.incident


def _was_released(incident: Incident | None) -> bool:
    return incident is not None and incident.phase == "released"


def _written(stage: Stage, incident: Incident) -> dict[str, set[str]]:
    """Place to the settings that this incident's containing writes changed there."""
    found: dict[str, set[str]] = {}
    for one in stage.history.writes:
        if one.incident and one.incident.id == incident.id and is_containing(stage.history, one):
            found.setdefault(one.place, set()).update(one.changed)
    return found


def _others_hold(stage: Stage, incident: Incident, place: str) -> bool:
    """Whether another incident that is not over may hold the place too."""
    return any(
        one.id != incident.id and one.phase not in ENDED and place in planned_places(one)
        for one in stage.history.incidents
    )


def _wrong(stage: Stage, resource: Resource, key: str) -> str:
    """How the key is none of what it may be; empty if it is."""
    history, place = stage.history, resource.place
    if any(
        one.place == place and key in touches(one) and one.seq > _last_write(stage, place, key) for one in history.did
    ):
        return ""
    origin = theirs(history, place, history.seq + 1).get(key)
    if not _exists(resource, origin):
        return ""
    if resource.settings.get(key) != origin and not key.startswith("executions."):
        return f"{resource.settings.get(key)}, not at its origin {origin}"
    serves = resource.reconciling or (resource.effective, resource.tags) == resource.wished
    return "" if serves or not is_about_traffic(key) else f"at its origin {origin}, but that does not serve"


def _last_write(stage: Stage, place: str, key: str) -> int:
    """The last containing write to the key."""
    mine = (one.seq for one in stage.history.writes if one.place == place and key in one.changed)
    return max(mine, default=0)


def _exists(resource: Resource, value: object) -> bool:
    """Whether every revision that the value names is still there."""
    names = {part.rpartition("=")[0] or part for part in str(value).split(",")}
    known = {one.name for one in resource.revisions} | {"LATEST"}
    gone = {name for name in names if name not in known and name.startswith(resource.target.name)}
    return not gone


def check_no_suspect_comes_back(stage: Stage) -> None:
    """No suspect of another hold is referred to after a release."""
    for wrote in stage.history.this_step():
        for other in _other_holds(stage, wrote):
            if back := suspects_of(other) & led_to(wrote.after.served()) - led_to(wrote.before.served()):
                message = f"{', '.join(sorted(back))} is led to again, which {other.id} suspects: {wrote}"
                raise Violated(6, message)


def _other_holds(stage: Stage, wrote: Wrote) -> Iterator[Incident]:
    """Incidents that were contained here before this step, by a write of theirs, and are not what is released."""
    released = {one.command.incident for one in releases_under_way(stage.history, wrote)}
    if not released:
        return
    for incident in stage.history.looks:
        before = stage.history.before_step(incident, wrote.step)
        if before is None or before.phase != "contained" or incident in released:
            continue
        mine = [one for one in stage.history.writes if one.incident and one.incident.id == incident]
        if place_of_incident(before) == wrote.place and any(one.after.uid == wrote.before.uid for one in mine):
            yield before
