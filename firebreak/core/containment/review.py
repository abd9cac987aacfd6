"""Sentences about a containment in force: its age, the deployments that it keeps from serving, and drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firebreak.core.cloud_run.state import Setting, State, surface_of
from firebreak.core.cloud_run.workload import Workload, led_to
from firebreak.core.containment.active_containment import Hold, Settings, Standing
from firebreak.core.first_few import first_few
from firebreak.core.storage_names import Stored
from firebreak.core.timestamps import NANOS

_MOST = 5


@dataclass(frozen=True, slots=True)
class Drift(Stored):
    """What others have changed on one target since it was contained, as it was seen last.

    `says`: the change as a sentence. `opened`: suspects that can be reached again; where there is none, settings by
    which a door that was shut is open. `settings`: what they are now.
    """

    says: str
    opened: tuple[str, ...] = ()
    settings: Mapping[str, Setting | None] = field(default_factory=dict)


def idle_deployments(workload: Workload, since_ns: int) -> tuple[str, ...]:
    """Short names of Ready revisions that were deployed after `since_ns` and serve nothing, oldest first."""
    return tuple(
        one.name
        for one in sorted(workload.revisions, key=lambda one: one.created_ns)
        if one.created_ns > since_ns and not one.fault and one.name not in workload.reachable
    )


def review_sentence(hold: Hold, workload: Workload, now_ns: int) -> str:
    """The hold's age, and the deployments since then that serve nothing. `now_ns`: nanoseconds since 1970."""
    idle = idle_deployments(workload, hold.taken_ns)
    waiting = f"; deployed since and serving nothing: {', '.join(first_few(idle, _MOST))}" if idle else ""
    what = "written, and not in force," if hold.unseen else "contained"
    return f"review: {what} for {age(now_ns - hold.taken_ns)}{waiting}"


def drift_on(standing: Standing, workload: Workload, shut: State) -> Drift | None:
    """What somebody else has changed since Firebreak wrote it, and what is open again by it; or None.

    `shut`: the settings as all holds would have them now.
    """
    differ = dict(standing.changed_by_others(workload.state))
    opened = tuple(sorted(_opened(standing, workload, differ)))
    if not differ and not opened:
        return None
    doors = tuple(key for key in differ if workload.state.get(key) != shut.get(key))
    settings = [f"{key} was {standing.applied.get(key, 'unset')} and is {differ[key] or 'unset'}" for key in differ]
    again = [f"suspect {', '.join(first_few(opened, _MOST))} can be reached again"] if opened else []
    # Cloud Run tells who changed the workload last; of a grant it tells nothing.
    told = workload.last_modifier and (opened or any(not surface_of(key).endswith("_iam") for key in differ))
    who = f" by {workload.last_modifier}" if told else ""
    return Drift(f"changed{who}: {'; '.join([*again, *first_few(settings, _MOST)])}", opened or doors, differ)


def _opened(standing: Standing, workload: Workload, differ: Settings) -> frozenset[str]:
    """Suspects that can be reached again.

    Where Firebreak shut doors and left the traffic to a suspect as it was, only such a door opens it.
    """
    reached = standing.guarded & workload.reachable
    if any(standing.applied.get(key) != standing.origin.get(key) for key in differ):
        return reached
    left = {key: value for key, value in standing.applied.items() if value == standing.origin.get(key)}
    return reached - led_to(left, workload.latest)


def set_by_others(standing: Standing, before: Settings) -> tuple[str, ...]:
    """Of settings that are to be written over, those that others set since: a release restores these, no origin."""
    return tuple(
        f"{key} {'unset' if value is None else value}, which was {standing.origin.get(key, 'unset')} before Firebreak"
        for key, value in sorted(before.items())
        if standing.holds and value != standing.origin.get(key) and not standing.is_as_written(key, value)
    )


def age(nanos: int) -> str:
    """A span in words: `3 h 20 min`."""
    minutes = max(0, nanos) // (60 * NANOS)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
