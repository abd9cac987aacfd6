"""Whether a write contains or restores, and which answer of a person stands behind it; told by what it does."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.incidents.incident import Incident
from tests.model.history import History, Told, Wrote
from tests.model.reference import planned_places, theirs


def is_containing(history: History, wrote: Wrote) -> bool:
    """Whether the write closes something: it is part of no release, and does not merely put back what was there."""
    return not releases_under_way(history, wrote) and not puts_back(history, wrote)


def releases_under_way(history: History, wrote: Wrote) -> tuple[Told, ...]:
    """The releases of this place that a person asked for and that were not over when this step began."""
    return tuple(one for one in _releases(history, wrote) if wrote.place in _places_held(history, one, wrote))


def _releases(history: History, wrote: Wrote) -> Iterator[Told]:
    for told in history.told:
        if told.command.verb != "release" or told.seq > wrote.seq:
            continue
        before = history.before_step(told.command.incident, wrote.step)
        over = before is not None and (before.phase == "released" or _is_over(before))
        if told.step == wrote.step or not over:
            yield told


def _is_over(incident: Incident) -> bool:
    """Whether nothing is left to do of the release that was asked for last; without one nothing is left, too."""
    release = incident.release
    return release is None or bool(getattr(release, "over", False))


def _places_held(history: History, told: Told, wrote: Wrote) -> frozenset[str]:
    """Where the incident has written, or may have."""
    mine = {one.place for one in history.writes if one.incident and one.incident.id == told.command.incident}
    before = history.before_step(told.command.incident, wrote.step)
    return frozenset(mine) | (planned_places(before) if before else frozenset())


def puts_back(history: History, wrote: Wrote) -> bool:
    """Whether each setting goes back to what it was just before Firebreak's last write to it, or as people set it."""
    people = theirs(history, wrote.place, wrote.seq)
    earlier = [one for one in history.writes if one.place == wrote.place and one.seq < wrote.seq]
    for key, (before, after) in wrote.changed.items():
        last = next((one.changed[key] for one in reversed(earlier) if key in one.changed), None)
        undone = last is not None and last == (after, before)
        if after != people.get(key) and not undone:
            return False
    return bool(earlier)


def approval_of(history: History, wrote: Wrote) -> Told | None:
    """The yes of a person that still stands: to the question on the record, given in time."""
    if wrote.incident is None or wrote.incident.question is None:
        return None
    for told in reversed(history.told):
        if told.command.verb != "approve" or told.seq > wrote.seq or told.command.incident != wrote.incident.id:
            continue
        if told.result is not None and not told.done:
            continue
        asked = history.before_step(told.command.incident, told.step)
        question = asked.question if asked and asked.phase == "waiting" else None
        in_time = question is not None and told.at_ns <= question.expires_ns
        stands = wrote.incident.question.digest == told.command.digest
        return told if in_time and stands else None
    return None


def cautions_of(told: Told | None) -> frozenset[str]:
    """The cautions that the question named, each by its first word."""
    seen = told.seen.question if told and told.seen else None
    return frozenset(one.partition(":")[0] for one in seen.cautions) if seen else frozenset()
