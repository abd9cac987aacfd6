"""The way back, setting by setting: what is restored, a person's or gone is let go of; what is refused stays held."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace

from firebreak.core.actions.action import Refusal
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.state import surface_of
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import WRITING_NS, Standing
from firebreak.core.containment.context import own_context
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.guards import caps_for
from firebreak.core.containment.restoration import (
    keeps_others_shut,
    opened_suspects,
    released_keys,
    required_state,
)
from firebreak.core.diagnostics import nearest_word
from firebreak.core.errors import AnotherResource, Drifted, Missing, Refused, Transient, Unfinished
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.release import Release, ReleasedKey
from firebreak.ledger.documents import Document
from firebreak.ledger.records import StoredIncident
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.give_back import OWN_SURFACES, give_back
from firebreak.response.holds import held_targets, review_ns, standing_of, stands
from firebreak.response.observe import Readings, see_target
from firebreak.response.set_aside import ALL

BY = "firebreak"
"""Who releases where the policy's `release_after` does, and no person."""


class CannotRelease(Refused):
    """The release was not made; the text says why and what still stands."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the release of one target would do, under what stands there."""

    standing: Standing
    document: Document | None
    keys: tuple[ReleasedKey, ...]
    uid: str = ""


def request_release(
    app: App, held: StoredIncident, by: str, leave: frozenset[str], digest: str, readings: Readings
) -> StoredIncident:
    """Note what is to be restored; nothing is written yet. Said again, it tries what was refused before.

    Raises CannotRelease, with nothing changed, where it would lead to what another incident suspects.
    """
    if not held.sealed:
        message = "the record's seal is broken: it is not released; see the lines for undoing it by hand"
        raise CannotRelease(message)
    incident, now = held.incident, app.now_ns()
    drawn = [_draw(app, incident, by, target, readings) for target, _ in held_targets(app, incident)]
    before = [one for one in incident.release.keys if one.result in _FINAL] if incident.release else []
    over = {(one.target.key, one.key) for one in before}
    still = [one for part in drawn for one in part.keys if (one.target.key, one.key) not in over]
    _require_held(leave - {ALL, *(one.key for one in before if one.result == "left")}, {one.key for one in still})
    keys = tuple(
        replace(one, result="left", detail=f"given up by {by}") if leave & {ALL, one.key} else one for one in still
    )
    release = Release(by, (), now, (*before, *keys))
    more = [
        one for part in drawn if len(part.standing.holds) > 1 for one in keeps_others_shut(part.standing, part.keys)
    ]
    if more and not (digest and _digest(keys).startswith(digest)):
        app.ledger.save(held, replace(incident, release=replace(release, digest=_digest(keys))))
        what = "; ".join(f"{one.key}: {one.before} to {one.after}" for one in more)
        message = (
            f"nothing was changed: to keep shut what another incident suspects, it would write {what}. Say it again"
            f" with --digest {_digest(keys)[:12]} if that is meant"
        )
        raise CannotRelease(message)
    back = ", ".join(f"{incident.place_of(one.target)}{one.key}" for one in keys if one.result == "due")
    nothing = "nothing was left to restore" if drawn else "this incident holds nothing, so nothing was written"
    told = incident.with_history(now, by, f"asked for the release: {f'{back} to be restored' if back else nothing}")
    held = app.ledger.save(held, replace(told, release=release, answer=None))
    return held if back else _let_go(app, held)


_FINAL = ("restored", "person", "gone", "left")


def _require_held(leave: frozenset[str], held: set[str]) -> None:
    """Raise CannotRelease where a setting is to be given up that the incident does not hold."""
    if unknown := sorted(leave - held):
        nearest = nearest_word(unknown[0], held)
        meant = f"; did you mean {nearest}?" if nearest else ""
        there = f"it holds {', '.join(sorted(held)) or 'none'}"
        message = f"nothing was changed: the incident holds no setting {', '.join(unknown)}{meant or f'; {there}'}"
        raise CannotRelease(message)


def _digest(keys: tuple[ReleasedKey, ...]) -> str:
    shown = [[one.target.key, one.key, one.before, one.after, one.result] for one in keys]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def _draw(app: App, incident: Incident, by: str, target: Target, readings: Readings) -> _Drawn:
    """What is to be done about each setting of one target, on what is so now.

    Raises CannotRelease where it would open what others hold, or where nobody asked and something is against it.
    """
    if by == BY and (against := _against_release(app, incident, readings)):
        raise CannotRelease(against)
    standing, document = standing_of(app, incident, target)
    if standing.being_released(incident.id, app.now_ns()):
        message = f"the release of {standing.releasing} is being written to the same target; try again in a moment"
        raise Transient(message)
    try:
        workload = readings.workload(target)
    except Missing:
        return _Drawn(standing, document, _all_gone(standing, target, "the target does not exist any more"))
    try:
        standing = standing.with_uid(workload.uid, workload.created_ns) if workload.uid else standing
    except AnotherResource:
        return _Drawn(standing, document, _all_gone(standing, target, "another resource was made in its place"))
    _require_landed(app, incident, standing, workload)
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
    return _Drawn(standing, document, keys, workload.uid)


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
        seen=tuple(see_target(app, incident, target, readings) for target, _ in held_targets(app, incident)),
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


def carry_release(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    """Restore the next surface that is due, or let go of what is over."""
    release = held.incident.release
    if release is not None and not release.asked_ns:
        # An earlier version began it and kept it in another form: it is drawn on what is so now.
        return request_release(app, held, release.by, frozenset(), "", readings)
    due = [one for one in release.keys if one.result == "due"] if release else []
    if release is None or not due:
        return _let_go(app, held)
    first = min(due, key=lambda one: _order(one.key))
    target, surface = first.target, surface_of(first.key)
    readings.forget(target)
    here = [one for one in due if one.target.key == target.key]
    try:
        drawn = _draw(app, held.incident, release.by, target, readings)
    except CannotRelease as fault:
        refused = [replace(one, result="refused", detail=str(fault)) for one in here]
        return _let_go_if_over(app, _noted(app, held, refused, readings))
    fresh = {one.key: one for one in drawn.keys}
    # One that is so since it was written is still to be seen in effect: an answer was lost, or whoever wrote it.
    keys = [fresh.get(one.key, one) for one in here if surface_of(one.key) == surface]
    if over := [one for one in keys if one.result != "due"]:
        return _let_go_if_over(app, _noted(app, held, over, readings))
    writing = {one.key: one.after for one in keys}
    pending = drawn.standing.with_pending_release(held.incident.id, writing, app.now_ns())
    # Over the version that it was drawn on: whoever came to stand there since is not opened to.
    held = app.ledger.save(held, held.incident, app.ledger.standing_save(pending, drawn.document))
    try:
        done = give_back(app, drawn.uid, surface, keys, readings)
    except Unfinished:
        raise
    except (Drifted, Missing, Transient) as fault:
        if readings.deadline.passed or not readings.lost_another():
            time.sleep(readings.deadline.remaining(_PAUSE))
            return held  # what was written, what is a person's by now and what is gone is told by another look
        if isinstance(fault, Drifted):
            message = f"others keep writing at the same moment: {fault}"
            raise Transient(message) from None
        done = [replace(one, result="refused", detail=f"it could not be reached: {fault}") for one in keys]
    return _let_go_if_over(app, _noted(app, held, done, readings))


_PAUSE = 0.5


def _let_go_if_over(app: App, held: StoredIncident) -> StoredIncident:
    release = held.incident.release
    return held if release is None or any(one.result == "due" for one in release.keys) else _let_go(app, held)


def _order(key: str) -> int:
    """The way back begins where containing ended: what runs as a disabled account may take no update."""
    surface = surface_of(key)
    return 0 if surface == IDENTITY else 2 if surface in OWN_SURFACES else 1


def _noted(app: App, held: StoredIncident, done: list[ReleasedKey], readings: Readings) -> StoredIncident:
    """What became of some settings, on the incident and on what stands, in one commit."""
    release = held.incident.release
    if not done or release is None:
        return held
    by_key = {(one.target.key, one.key): one for one in done}
    keys = tuple(by_key.get((one.target.key, one.key), one) for one in release.keys)
    target = done[0].target
    standing, document = standing_of(app, held.incident, target)
    try:
        workload = readings.workload(target)
        now, changed = workload.state, workload.updated_ns
    except Missing:
        now, changed = {}, 0
    over = {one.key: now.get(one.key) for one in done if one.result in _FINAL}
    freed = standing.with_released(held.incident.id, over, changed)
    pending = {key: value for key, value in freed.pending.items() if (target.key, key) not in by_key}
    freed = replace(freed, pending=pending)
    any_restored = any(one.result == "restored" for one in keys)
    phase = "releasing" if any_restored and held.incident.phase == "contained" else held.incident.phase
    noted = replace(held.incident, release=replace(release, keys=keys), phase=phase)
    return app.ledger.save(held, noted, app.ledger.standing_save(freed, document))


def _let_go(app: App, held: StoredIncident) -> StoredIncident:
    """Every setting was tried: a target with none refused is let go of, with the last one the incident."""
    release = held.incident.release
    if release is None:
        return held
    refused = {one.target.key for one in release.keys if one.result == "refused"}
    asked = False
    for target, hold in held_targets(app, held.incident):
        asked = asked or bool(held.incident.suspects_on(target) - hold.suspects)
        standing, document = standing_of(app, held.incident, target)
        if target.key in refused:
            free = replace(standing, releasing="")
        else:
            at = standing.released_ns if release.by == BY else app.now_ns()
            free = replace(standing, released_ns=at, pending={}).with_finished_release(held.incident.id)
        held = app.ledger.save(held, held.incident, app.ledger.standing_save(free, document))
    asked = asked and held.incident.phase == "waiting"  # about an event that the containment was not about
    return app.ledger.save(held, _rested(app, held.incident, release, asked=asked).with_announcements(channels(app)))


def _rested(app: App, incident: Incident, release: Release, *, asked: bool) -> Incident:
    """Where a release leaves the incident; one that has events to be decided yet stays open for them."""
    lines = [(one, f"{incident.place_of(one.target)}{one.key}: {_word(one)}") for one in release.keys]
    left = tuple(line for one, line in lines if one.result != "restored" or " reads " in one.detail)
    waits = incident.phase == "deferred"
    if any(one.result == "refused" for one in release.keys):
        some = any(one.result == "restored" for one in release.keys)
        word = "what was refused is still held" if some else "the release was refused, the containment still stands"
        told = incident.with_history(app.now_ns(), release.by, f"{word}: {'; '.join(line for _, line in lines)}")
        rested = replace(told, release=replace(release, rests=True), still_open=left)
        phase: Phase = "releasing" if some else "contained" if stands(app, incident) else incident.phase
        phase = "received" if asked else phase
        return rested if waits else replace(rested, phase=phase, next_ns=review_ns(app, incident))
    told = incident.with_history(app.now_ns(), release.by, "; ".join(("released", *left)))
    over = replace(told, release=replace(release, over=True), still_open=left)
    if waits or asked or incident.undecided:
        return replace(over, phase="deferred" if waits else "received", plan=None, done=None)
    return replace(over, phase="released", next_ns=None)


def _word(key: ReleasedKey) -> str:
    """What became of a setting, for a sentence."""
    words = {"person": "a person's", "gone": "gone", "refused": "refused"}
    return f"{words[key.result]}: {key.detail}" if key.result in words else key.detail
