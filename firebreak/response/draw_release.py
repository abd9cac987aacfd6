"""What a release would do about each setting of one target, drawn on what is so now; nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from firebreak.core.actions.action import Refusal
from firebreak.core.cloud_run.state import State, surface_of
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import WRITING_NS, Standing
from firebreak.core.containment.context import own_context
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.guards import caps_for
from firebreak.core.containment.restoration import (
    opened_suspects,
    released_keys,
    required_state,
)
from firebreak.core.errors import AnotherResource, Missing, Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.release import ReleasedKey
from firebreak.ledger.documents import Document
from firebreak.response.app import App
from firebreak.response.observe import see_target
from firebreak.response.readings import Readings

BY = "firebreak"
"""Who releases where the policy's `release_after` does, and no person."""


class CannotRelease(Refused):
    """The release was not made; the text says why and what still stands."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the release of one target would do, under what stands there."""

    standing: Standing
    document: Document | None
    keys: tuple[ReleasedKey, ...]
    uid: str = ""
    state: State = field(default_factory=dict)


def draw(app: App, incident: Incident, by: str, target: Target, readings: Readings) -> Drawn:
    """What is to be done about each setting of one target, on what is so now.

    Raises CannotRelease where it would open what others hold, or where nobody asked and something is against it.
    """
    if by == BY and (against := _against_release(app, incident, readings)):
        raise CannotRelease(against)
    standing, document = app.ledger.standing_of(incident, target)
    if doing := standing.being_written(incident.id, app.now_ns()):
        message = f"{doing} is being written to the same target; try again in a moment"
        raise Transient(message)
    try:
        workload = readings.workload(target)
    except Missing:
        return Drawn(standing, document, _all_gone(standing, target, "the target does not exist any more"))
    try:
        standing = standing.with_uid(workload.uid, workload.created_ns) if workload.uid else standing
    except AnotherResource:
        return Drawn(standing, document, _all_gone(standing, target, "another resource was made in its place"))
    _require_landed(app, incident, standing, workload)
    standing = standing.with_landed(workload.state)
    rest = standing.without_hold(incident.id)
    context = own_context(incident, incident.finding, workload, standing, frozenset())
    wanted = required_state(rest, context, app.actions)
    if isinstance(wanted, Refusal) and rest.suspects - {one.name for one in workload.revisions}:
        wanted = standing.applied  # what was deleted is led to by nothing: what the others hold stays as it is
    if isinstance(wanted, Refusal):
        message = f"what other incidents hold could not be kept: {wanted.reason}"
        raise CannotRelease(message)
    keys = _readable(released_keys(standing, wanted, workload), workload)
    then = {**workload.state, **{one.key: one.after for one in keys if one.result == "due"}}
    if again := opened_suspects(rest, {key: value for key, value in then.items() if value is not None}, workload):
        message = f"it would make {', '.join(again)} reachable again, which another incident holds suspect"
        raise CannotRelease(message)
    return Drawn(standing, document, keys, workload.uid, workload.state)


def draw_everywhere(app: App, incident: Incident, by: str, readings: Readings) -> list[Drawn]:
    """What is to be done on every target; one that cannot be read is refused, and blocks no other."""
    drawn, lost = list[Drawn](), list[tuple[Drawn, Refused | Transient]]()
    for target, _ in app.ledger.held_targets(incident):
        try:
            drawn.append(draw(app, incident, by, target, readings))
        except CannotRelease:
            raise
        except (Refused, Transient) as fault:
            lost.append((refused_whole(app, incident, target, f"not reached: {fault}"), fault))
    if lost and not drawn:
        raise lost[0][1]
    return [*drawn, *(one for one, _ in lost)]


def refused_whole(app: App, incident: Incident, target: Target, why: str) -> Drawn:
    """A target of which nothing can be restored now, for this reason: all of it stays held."""
    standing, document = app.ledger.standing_of(incident, target)
    keys = tuple(replace(one, result="refused") for one in _all_gone(standing, target, why))
    return Drawn(standing, document, keys)


def _readable(keys: tuple[ReleasedKey, ...], workload: Workload) -> tuple[ReleasedKey, ...]:
    """The keys, those refused of which it cannot be told what they are; raises Transient where that may pass."""
    unread = {key: why for key in (one.key for one in keys) if (why := workload.unread.get(surface_of(key)))}
    if away := next((key for key in unread if surface_of(key) in workload.away), None):
        message = f"{surface_of(away)} cannot be reached: {unread[away]}"
        raise Transient(message)
    return tuple(
        replace(one, result="refused", detail=f"it could not be read: {unread[one.key]}") if one.key in unread else one
        for one in keys
    )


def _against_release(app: App, incident: Incident, readings: Readings) -> str | None:
    """What stands against a release that no person asks for; None if nothing does."""
    try:
        found = readings.finding(incident.finding)
    except (Transient, Refused) as fault:
        return f"SCC cannot be asked: {fault}"
    if found is None:
        return "SCC does not hold the finding any more"
    given = GuardInput(
        finding=found,
        trust="confirmed",
        trust_reason="",
        ceilings=app.ceilings(),
        config=app.policies.config,
        own=app.settings.own,
        now_ns=app.now_ns(),
        age_ns=0,
        seen=tuple(see_target(incident, target, readings) for target, _ in app.ledger.held_targets(incident)),
        related_known=True,
        steps=(),
        incident=incident.id,
    )
    bars = [cap.reason for cap in caps_for(given, None, app.actions) if cap.kind == "bar" and cap.name != "settled"]
    if bars:
        return bars[0]
    if found.mute == "MUTED":
        return "the finding is muted, which is not enough"
    return None if found.state == "INACTIVE" else "the finding is still active"


def _all_gone(standing: Standing, target: Target, why: str) -> tuple[ReleasedKey, ...]:
    keys = standing.applied.keys() | standing.origin.keys()
    written = {key for key in keys if standing.applied.get(key) != standing.origin.get(key)}
    return tuple(
        ReleasedKey(target, key, None, standing.origin.get(key), "gone", why)
        for key in sorted(written | standing.pending.keys())
    )


def _require_landed(app: App, incident: Incident, standing: Standing, workload: Workload) -> None:
    """A write whose answer was lost may still take effect: what was restored before it would not stay so."""
    hold = next((one for one in standing.holds if one.incident == incident.id), None)
    unseen = any(workload.state.get(key) != value for key, value in standing.pending.items())
    if hold and unseen and not standing.releasing and app.now_ns() - hold.taken_ns < WRITING_NS:
        message = f"a write to {standing.target} may still be under way; try again in two minutes"
        raise Transient(message)
