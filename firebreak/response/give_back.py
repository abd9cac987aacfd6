"""Giving settings of one surface back, and what became of each of them."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.setting_names import is_traffic
from firebreak.core.cloud_run.traffic_status import have_status
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.plan import Change
from firebreak.core.errors import Drifted, Missing, Refused, Unfinished
from firebreak.core.incidents.release import ReleasedKey
from firebreak.core.incidents.release_words import setting_word
from firebreak.ports.backoff import Backoff
from firebreak.response.app import App
from firebreak.response.move import put_back, require_same, restore
from firebreak.response.readings import SETTLE_SECONDS, Readings

OWN_SURFACES = frozenset({"service", "worker_pool"})
"""Surfaces whose settings all go into one update, the last of a release."""


def give_back(app: App, uid: str, surface: str, keys: list[ReleasedKey], readings: Readings) -> list[ReleasedKey]:
    """What became of these settings of one surface of the resource with that uid: in one update.

    If that is refused, doors and traffic apart. Raises Drifted, Missing or Transient where what is to be restored has
    to be looked at again.
    """
    whole = _write(app, uid, surface, keys, readings)
    parts = [[one for one in keys if is_traffic(one.key) == traffic] for traffic in (False, True)]
    if all(one.result != "refused" for one in whole) or surface not in OWN_SURFACES or not all(parts):
        return whole
    return [one for part in parts for one in _write(app, uid, surface, part, readings)]


def _write(app: App, uid: str, surface: str, keys: list[ReleasedKey], readings: Readings) -> list[ReleasedKey]:
    """Write what is not so yet, and look whether all of it is in effect; what is not is put back, and refused."""
    workload = readings.workload(keys[0].target)
    due = [one for one in keys if workload.state.get(one.key) != one.after]
    change = _change(uid, surface, keys)
    try:
        if due:
            restore(app, _change(uid, surface, due), workload, readings)
        return _in_effect(app, change, keys, readings)
    except (Drifted, Missing):
        raise
    except Refused as fault:
        problem = put_back(app, change, readings)
        also = f"; and what was asked for could not be taken back: {problem}" if problem else ""
        return [replace(one, result="refused", detail=f"{fault}{also}") for one in keys]
    finally:
        readings.forget(change.target)


def _change(uid: str, surface: str, keys: list[ReleasedKey]) -> Change:
    before, after = {one.key: one.before for one in keys}, {one.key: one.after for one in keys}
    return Change(keys[0].target, surface, before, after, {"uid": uid}, ("release",))


def _in_effect(app: App, change: Change, keys: list[ReleasedKey], readings: Readings) -> list[ReleasedKey]:
    """Wait until what serves is what was restored; what Cloud Run did not take is refused."""
    backoff = Backoff(readings.deadline.sooner(SETTLE_SECONDS))
    while True:
        readings.forget(change.target)
        workload = readings.workload(change.target)
        require_same(change, workload)
        now = replace(change, after={key: workload.state.get(key) for key in change.after})
        serves = app.surfaces[change.surface].in_force(workload, now)
        if serves and (workload.settled or have_status(change.after)):
            return [_judged(one, workload) for one in keys]
        if not backoff.wait():
            if not readings.had_time(workload, backoff):
                raise Unfinished("")
            if not app.surfaces[change.surface].in_force(workload, now):
                message = "Cloud Run took it, but does not serve it"
                raise Refused(message)  # and is put back: the next deployment must not make it come true
            return [_judged(one, workload) for one in keys]


def _judged(key: ReleasedKey, now: Workload) -> ReleasedKey:
    """Not everything comes back exactly, a service's scaling above all; what reads differently is said."""
    there = now.state.get(key.key)
    if there == key.after:
        return replace(key, result="restored", detail=f"restored to {setting_word(key.after)}")
    if there == key.before:
        return replace(key, result="refused", detail="Cloud Run did not take it")
    word = f"restored to {setting_word(key.after)}, and reads {setting_word(there)}"
    return replace(key, result="restored", detail=word)
