"""The way back, setting by setting: what is restored, a person's or gone is let go of; what is refused stays held."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.state import State, surface_of
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.restoration import (
    keeps_others_shut,
)
from firebreak.core.diagnostics import nearest_word
from firebreak.core.errors import Drifted, Missing, Refused, Throttled, Transient, Unfinished
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.release import Release, ReleasedKey, release_digest
from firebreak.ledger.records import StoredIncident
from firebreak.response.announce import save_and_tell
from firebreak.response.app import App
from firebreak.response.draw_release import BY, CannotRelease, Drawn, draw, draw_everywhere, refused_whole
from firebreak.response.give_back import OWN_SURFACES, give_back
from firebreak.response.move import settle_own
from firebreak.response.readings import WRITES, Away, Readings
from firebreak.response.set_aside import ALL

RELEASES = "asked for the release"


def request_release(
    app: App, held: StoredIncident, by: str, leave: frozenset[str], digest: str, readings: Readings
) -> StoredIncident:
    """Note what is to be restored; nothing is written yet. Said again, it tries what was refused before.

    Raises CannotRelease, with nothing changed, where it would lead to what another incident suspects.
    """
    if not held.sealed:
        message = "the record's seal is broken: it is not released; see the lines for undoing it by hand"
        raise CannotRelease(message)
    held = settle_own(app, held, readings)
    incident, now = held.incident, app.now_ns()
    drawn = draw_everywhere(app, incident, by, readings)
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
    if more and not (digest and release_digest(keys).startswith(digest)):
        app.ledger.save(held, replace(incident, release=replace(release, digest=release_digest(keys))))
        what = "; ".join(f"{one.key}: {one.before} to {one.after}" for one in more)
        message = (
            f"nothing was changed: to keep shut what another incident suspects, it would write {what}. Say it again"
            f" with --digest {release_digest(keys)[:12]} if that is meant"
        )
        raise CannotRelease(message)
    back = ", ".join(f"{incident.place_of(one.target)}{one.key}" for one in keys if one.result == "due")
    nothing = "nothing was left to restore" if drawn else "this incident holds nothing, so nothing was written"
    told = incident.with_history(now, by, f"{RELEASES}: {f'{back} to be restored' if back else nothing}")
    held = app.ledger.save(held, replace(told, release=release, answer=None, away={}))
    return held if back else _let_go(app, held, readings)


_LET_GO = ("person", "gone", "left")
_FINAL = ("restored", *_LET_GO)


def _require_held(leave: frozenset[str], held: set[str]) -> None:
    """Raise CannotRelease where a setting is to be given up that the incident does not hold."""
    if unknown := sorted(leave - held):
        nearest = nearest_word(unknown[0], held)
        meant = f"; did you mean {nearest}?" if nearest else ""
        there = f"it holds {', '.join(sorted(held)) or 'none'}"
        message = f"nothing was changed: the incident holds no setting {', '.join(unknown)}{meant or f'; {there}'}"
        raise CannotRelease(message)


def carry_release(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    """Restore the next surface that is due, or let go of what is over."""
    release = held.incident.release
    if release is not None and not release.asked_ns:
        # An earlier version began it and kept it in another form: it is drawn on what is so now.
        return request_release(app, held, release.by, frozenset(), "", readings)
    due = [one for one in release.keys if one.result == "due"] if release else []
    if release is None or not due:
        return _let_go(app, held, readings)
    first = min(due, key=lambda one: _order(one.key))
    target, surface = first.target, surface_of(first.key)
    if app.queue.waited(held.incident.finding, target, readings.deadline):
        held = app.ledger.save(held, held.incident)  # the lease ran meanwhile
    readings.forget(target)
    here = [one for one in due if one.target.key == target.key]
    try:
        drawn = draw(app, held.incident, release.by, target, readings)
    except (Refused, Transient) as fault:
        alone = len(app.ledger.held_targets(held.incident)) == 1
        if not isinstance(fault, CannotRelease) and (alone or readings.deadline.passed):
            raise
        refused = [replace(one, result="refused", detail=str(fault)) for one in here]
        return _let_go_if_over(app, _noted(app, held, refused, readings), readings)
    fresh = {one.key: one for one in drawn.keys}
    keys = [fresh.get(one.key) or _settled(one, drawn) for one in here if surface_of(one.key) == surface]
    if over := [one for one in keys if one.result != "due"]:
        return _let_go_if_over(app, _noted(app, held, over, readings), readings)
    writing = {one.key: one.after for one in keys}
    pending = drawn.standing.with_pending_release(held.incident.id, writing, app.now_ns())
    # Over the version that it was drawn on: whoever came to stand there since is not opened to.
    held = app.ledger.save(held, held.incident, app.ledger.standing_save(pending, drawn.document))
    done = _given_back(app, drawn, surface, keys, readings)
    return _let_go_if_over(app, _noted(app, held, done, readings), readings) if done else held


def _given_back(
    app: App, drawn: Drawn, surface: str, keys: list[ReleasedKey], readings: Readings
) -> list[ReleasedKey] | None:
    """What became of them; None where another look tells what was written, what is a person's by now, what is gone."""
    try:
        return give_back(app, drawn.uid, surface, keys, readings)
    except Unfinished:
        raise
    except (Drifted, Missing, Transient) as fault:
        again = readings.deadline.passed or not readings.lost_another()
        if isinstance(fault, Throttled) and readings.waits_for(WRITES):
            if again and readings.deadline.waits:
                return None
            raise Away(WRITES, fault) from None  # a minute's quota is no reason to leave a service shut
        if again and not isinstance(fault, Throttled):
            time.sleep(readings.deadline.remaining(_PAUSE))
            return None
        if isinstance(fault, Drifted):
            message = f"others keep writing at the same moment: {fault}"
            raise Transient(message) from None
        return [replace(one, result="refused", detail=f"it could not be reached: {fault}") for one in keys]


_PAUSE = 0.5


def _settled(key: ReleasedKey, drawn: Drawn) -> ReleasedKey:
    """A setting about which nothing is to be done any more: it is so since it was written, or another hold needs it."""
    if drawn.state.get(key.key) == key.after:
        return key  # still to be seen in effect: an answer was lost, or whoever wrote it
    return replace(key, result="left", detail="another incident holds it too")


def _let_go_if_over(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    release = held.incident.release
    over = release is not None and not any(one.result == "due" for one in release.keys)
    return _let_go(app, held, readings) if over else held


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
    standing, document = app.ledger.standing_of(held.incident, target)
    now: State = {}
    changed = standing.changed_ns or 0
    if final := [one for one in done if one.result in _FINAL]:
        with suppress(Missing):
            workload = readings.workload(target)
            now, changed = workload.state, workload.updated_ns
    persons = frozenset(one.key for one in final if one.result == "person")
    over = {one.key: now.get(one.key) for one in final}
    freed = standing.with_released(held.incident.id, over, changed, persons)
    pending = {key: value for key, value in freed.pending.items() if (target.key, key) not in by_key}
    freed = replace(freed, pending=pending)
    any_restored = any(one.result == "restored" for one in keys)
    phase = "releasing" if any_restored and held.incident.phase == "contained" else held.incident.phase
    noted = replace(held.incident, release=replace(release, keys=keys), phase=phase)
    return app.ledger.save(held, noted, app.ledger.standing_save(freed, document))


def _let_go(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    """Every setting was tried: a target with none refused is let go of, with the last one the incident.

    What is due is drawn once more for that, and saved over the version that it was drawn on: whoever came to stand
    there or went since changes what has to be in force.
    """
    release = held.incident.release
    if release is None:
        return held
    refused = {one.target.key for one in release.keys if one.result == "refused"}
    asked, beside = False, list[str]()
    for target, hold in app.ledger.held_targets(held.incident):
        asked = asked or bool(held.incident.suspects_on(target) - hold.suspects)
        if target.key in refused:
            standing, document = app.ledger.standing_of(held.incident, target)
            free = replace(standing, releasing="")
        else:
            drawn = _once_more(app, held.incident, release, target, readings)
            over = {one.key for one in release.keys if one.target.key == target.key and _is_over(one)}
            if more := [one for one in drawn.keys if one.result in ("due", "refused") and one.key not in over]:
                return _more_to_do(app, held, release, more)
            at = drawn.standing.released_ns if release.by == BY else app.now_ns()
            free, document = replace(drawn.standing, released_ns=at), drawn.document
            free = free.with_finished_release(held.incident.id)
            beside += [one.incident for one in free.holds]
        held = app.ledger.save(held, held.incident, app.ledger.standing_save(free, document))
    asked = asked and held.incident.phase == "waiting"  # about an event that the containment was not about
    rested = _rested(app, held.incident, replace(release, beside=tuple(dict.fromkeys(beside))), asked=asked)
    return save_and_tell(app, held, rested)


def _is_over(key: ReleasedKey) -> bool:
    """Whether nothing more is to be done: it is let go of, or came back as far as Cloud Run brings it back."""
    return key.result in _LET_GO or _reads_differently(key)


def _reads_differently(key: ReleasedKey) -> bool:
    return key.result == "restored" and " reads " in key.detail


def _once_more(app: App, incident: Incident, release: Release, target: Target, readings: Readings) -> Drawn:
    try:
        return draw(app, incident, release.by, target, readings)
    except CannotRelease as fault:
        return refused_whole(app, incident, target, str(fault))


def _more_to_do(app: App, held: StoredIncident, release: Release, more: list[ReleasedKey]) -> StoredIncident:
    """What another incident held when the release was drawn, and holds no more, is this one's to restore."""
    again = {(one.target.key, one.key) for one in more}
    keys = (*(one for one in release.keys if (one.target.key, one.key) not in again), *more)
    besides = ", ".join(one.key for one in more)
    told = held.incident.with_history(app.now_ns(), release.by, f"to be restored besides: {besides}")
    return app.ledger.save(held, replace(told, release=replace(release, keys=keys)))


def _rested(app: App, incident: Incident, release: Release, *, asked: bool) -> Incident:
    """Where a release leaves the incident; one that has events to be decided yet stays open for them."""
    lines = [(one, f"{incident.place_of(one.target)}{one.key}: {_word(one)}") for one in release.keys]
    left = tuple(line for one, line in lines if one.result != "restored" or _reads_differently(one))
    waits = incident.phase == "deferred"
    if any(one.result == "refused" for one in release.keys):
        some = any(one.result == "restored" for one in release.keys)
        word = "what was refused is still held" if some else "the release was refused, the containment still stands"
        told = incident.with_history(app.now_ns(), release.by, f"{word}: {'; '.join(line for _, line in lines)}")
        rested = replace(told, release=replace(release, rests=True), still_open=left)
        phase: Phase = "releasing" if some else "contained" if app.ledger.stands(incident) else incident.phase
        phase = "received" if asked else phase
        return rested if waits else replace(rested, phase=phase, next_ns=app.review_ns(incident))
    told = incident.with_history(app.now_ns(), release.by, "; ".join(("released", *left)))
    over = replace(told, release=replace(release, over=True), still_open=left)
    if waits or asked or incident.undecided:
        return replace(over, phase="deferred" if waits else "received", plan=None, done=None)
    return replace(over, phase="released", next_ns=None)


def _word(key: ReleasedKey) -> str:
    """What became of a setting, for a sentence."""
    words = {"person": "a person's", "gone": "gone", "refused": "refused"}
    return f"{words[key.result]}: {key.detail}" if key.result in words else key.detail
