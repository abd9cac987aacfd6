"""The fourth invariant: suspects only grow, and `contained` is said of what is so."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.cloud_run.setting_names import POOL_SPLIT, SPLIT
from firebreak.core.containment.plan import SUCCESS, Change
from firebreak.core.incidents.incident import Incident
from tests.model.cloud import Resource, place_of
from tests.model.history import Look, Violated
from tests.model.reference import (
    ENDED,
    carriers,
    digests_of,
    is_about_traffic,
    is_same_service,
    key_of,
    led_to,
    place_of_incident,
    shut,
    suspects_of,
    touches,
)
from tests.model.scc import ALLOWED, Event
from tests.model.stage import Stage


def check_suspects_grow(stage: Stage) -> None:
    """Suspects that an event gave only grow while the incident is open."""
    for looks in stage.history.looks.values():
        last = looks[-1]
        unread = stage.history.is_tampered(last.incident.id) or not stage.has_all_keys
        if last.step != stage.history.step or unread:
            continue
        for before, after in _pairs(looks):
            if gone := suspects_of(before.incident) - suspects_of(after.incident) - _related(stage, after.incident):
                message = f"{', '.join(sorted(gone))} is no suspect of {after.incident.id} any more"
                raise Violated(4, message)


def _pairs(looks: list[Look]) -> Iterator[tuple[Look, Look]]:
    """The last two looks, if there are two and the incident was open in both."""
    for before, after in zip(looks[-2:-1], looks[-1:], strict=False):
        if before.incident.phase not in ENDED and after.incident.phase not in ENDED:
            yield before, after


def _related(stage: Stage, incident: Incident) -> frozenset[str]:
    """Whom other findings have named, which may be muted since: they stand beside what events gave."""
    own = key_of(incident)
    return frozenset(one.names for _, one in stage.ground.scc.history if one.names and one.key != own)


def check_contained(stage: Stage) -> None:
    """Every change of the plan that was carried out, and every edit that the incident holds, is in effect."""
    for incident in _newly_contained(stage):
        changes = incident.plan.changes if incident.plan else ()
        for change in (one for one in changes if not _refused(incident, one)):
            place = place_of(change.target)
            resource = stage.look(place)
            if resource is None or _touched(stage, place):
                continue
            if wrong := _not_in_effect(stage, change, resource):
                message = f"{incident.id} is contained, and {', '.join(wrong)} of {place} is not as planned"
                raise Violated(4, message)
        if still := _still_reached(stage, incident):
            message = f"{incident.id} is contained, and {still} is still led to, which the record does not say"
            raise Violated(4, message)


def _refused(incident: Incident, change: Change) -> bool:
    """Whether the record says that this change was not to be had: then it was not carried out."""
    outcomes = [one for one in incident.outcomes if (one.target, one.surface) == (change.target.key, change.surface)]
    return bool(outcomes) and outcomes[-1].status != SUCCESS


def _newly_contained(stage: Stage) -> Iterator[Incident]:
    history = stage.history
    for looks in history.looks.values():
        last = looks[-1]
        saved = last.incident.id in history.saved and not _being_released(stage, last.incident)
        if saved and last.step == history.step and last.incident.phase == "contained":
            before = history.before_step(last.incident.id, history.step)
            if before is None or before.phase != "contained" or _writes(stage, last.incident):
                yield last.incident


def _being_released(stage: Stage, incident: Incident) -> bool:
    """Whether a release was asked for of which nobody was told what became of it: some of it may be back already."""
    told = [one for one in stage.history.told if one.command.incident == incident.id and one.command.verb == "release"]
    return bool(told) and told[-1].result is None


def _writes(stage: Stage, incident: Incident) -> bool:
    return any(one.incident and one.incident.id == incident.id for one in stage.history.this_step())


def _touched(stage: Stage, place: str) -> bool:
    """Whether somebody changed it in this very step, perhaps after the last look at it."""
    return any(one.place == place and one.step == stage.history.step for one in stage.history.did)


def _not_in_effect(stage: Stage, change: Change, resource: Resource) -> list[str]:
    """The settings that are not as the change says; what a person changed since it was written is told elsewhere."""
    own = {key: value for key, value in change.after.items() if not _is_persons(stage, resource.place, key)}
    wrong = [key for key, value in own.items() if resource.settings.get(key) != value]
    traffic = any(is_about_traffic(key) for key in own)
    serves = (resource.effective, resource.tags) == resource.wished
    return wrong or (["what serves"] if traffic and not serves else [])


def _is_persons(stage: Stage, place: str, key: str) -> bool:
    """Whether a person was at the setting after Firebreak wrote it last."""
    wrote = max((one.seq for one in stage.history.writes if one.place == place and key in one.changed), default=0)
    return any(one.place == place and one.seq > wrote > 0 and key in touches(one) for one in stage.history.did)


def _still_reached(stage: Stage, incident: Incident) -> str:
    """A revision that a counted event names, or, in another region, one with its image, that is still led to."""
    place = place_of_incident(incident)
    own = stage.look(place)
    if own is None or own.target.kind not in ("service", "worker_pool") or not moves_traffic(incident):
        return ""
    said = " ".join((*incident.still_open, *(one.reason for one in (incident.plan.refusals if incident.plan else ()))))
    for event in _known(stage, incident):
        if not event.names or event.source != ALLOWED or event.place != place:
            continue
        images = digests_of(own, frozenset({event.names})) | event.digests
        for there in stage.resources().values():
            if not is_same_service(there.place, place) or shut(there) or _touched(stage, there.place):
                continue
            if any(_is_persons(stage, there.place, key) for key in (SPLIT, POOL_SPLIT)):
                continue
            suspects = frozenset({event.names}) if there is own else carriers(there, images)
            told = there.target.location in said or all(one in said for one in suspects)
            told = told or (there is own and says_not_done(incident))
            if (open_ := suspects & led_to(there)) and not told:
                return f"{', '.join(sorted(open_))} of {there.place}"
    return ""


def moves_traffic(incident: Incident) -> bool:
    """Whether the plan is about what leads to suspects, or lets nobody in, rather than about an identity."""
    actions = {action for one in (incident.plan.changes if incident.plan else ()) for action in one.actions}
    return bool(actions & {"pin_previous_revision", "cut_traffic", "suspend"})


def says_not_done(incident: Incident) -> bool:
    """Whether the record says of a step that it was not done, and why."""
    return any(" was not done: " in one for one in incident.still_open)


def _known(stage: Stage, incident: Incident) -> Iterator[Event]:
    """The events that came to it before this step began, while SCC held them, and which nobody has rejected since."""
    history, key = stage.history, key_of(incident)
    began = history.looks[incident.id][0].step
    if any(one.command.verb == "reject" and one.command.incident == incident.id for one in history.told):
        return
    for came in history.came:
        states = [one for when, one in stage.ground.scc.history if one.key == key and when <= came.at_ns]
        confirmed = bool(states) and states[-1].wanted and states[-1].at_ns == came.event.at_ns
        if came.event.key == key and came.acked and began <= came.step < history.step and confirmed:
            yield states[-1]
