"""The way back, setting by setting: what is restored, a person's or gone is let go of; what is refused stays held."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace

from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.state import surface_of
from firebreak.core.containment.restoration import (
    keeps_others_shut,
)
from firebreak.core.diagnostics import nearest_word
from firebreak.core.errors import Drifted, Missing, Transient, Unfinished
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.release import Release, ReleasedKey
from firebreak.ledger.records import StoredIncident
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.draw_release import BY, CannotRelease, draw
from firebreak.response.give_back import OWN_SURFACES, give_back
from firebreak.response.holds import held_targets, review_ns, standing_of, stands
from firebreak.response.observe import Readings
from firebreak.response.set_aside import ALL


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
    drawn = [draw(app, incident, by, target, readings) for target, _ in held_targets(app, incident)]
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
        drawn = draw(app, held.incident, release.by, target, readings)
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
