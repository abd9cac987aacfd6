"""Whether a write contains or restores, and which answer of a person stands behind it; told by what it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from firebreak.core.containment.plan import Change
from firebreak.core.incidents.incident import Incident
from tests.model.history import History, Told, Wrote
from tests.model.reference import ENDED, planned_places, theirs


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
        over = before is not None and not before.releasing
        if told.step == wrote.step or not over:
            yield told


def _places_held(history: History, told: Told, wrote: Wrote) -> frozenset[str]:
    """Where the incident has written, or may have."""
    mine = {one.place for one in history.writes if one.incident and one.incident.id == told.command.incident}
    before = history.before_step(told.command.incident, wrote.step)
    return frozenset(mine) | (planned_places(before) if before else frozenset())


def is_held_by_others(history: History, wrote: Wrote) -> bool:
    """Whether another incident than the one that writes may hold the place, too."""
    mine = wrote.incident.id if wrote.incident else ""
    others = (one for one in history.incidents if one.id != mine and one.phase not in ENDED)
    return any(wrote.place in planned_places(one) for one in others)


def puts_back(history: History, wrote: Wrote) -> bool:
    """Whether each setting goes back to what it was just before Firebreak's last write to it, or as people set it.

    What was given back, and is as people set it, is closed by such a write, unless the release itself is taken back.
    """
    people, releasing = theirs(history, wrote.place, wrote.seq), bool(releases_under_way(history, wrote))
    earlier = [one for one in history.writes if one.place == wrote.place and one.seq < wrote.seq]
    for key, (before, after) in wrote.changed.items():
        last = next((one.changed[key] for one in reversed(earlier) if key in one.changed), None)
        undone = last is not None and last == (after, before) and (releasing or before != people.get(key))
        if after != people.get(key) and not undone:
            return False
    return bool(earlier)


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes of a person, and the incident as it was when they said it, with the open question."""

    told: Told
    asked: Incident

    @property
    def cautions(self) -> frozenset[str]:
        """The cautions that the question named, each by its first word."""
        named = self.asked.question.cautions if self.asked.question else ()
        return frozenset(one.partition(":")[0] for one in named)

    @property
    def shown(self) -> tuple[Change, ...]:
        """The changes that the question showed, and those that were to follow if one of them fails."""
        plan = self.asked.plan
        return (*plan.changes, *plan.fallback) if plan else ()


def approval_of(history: History, wrote: Wrote) -> Approval | None:
    """The yes of a person by which it was written: to the question that is on the record."""
    answer = wrote.incident.answer if wrote.incident else None
    if wrote.incident is None or wrote.incident.question is None or answer is None or not answer.by:
        return None
    for told in reversed(history.told):
        if told.command.verb != "approve" or told.seq > wrote.seq or told.command.incident != wrote.incident.id:
            continue
        asked = told.before
        question = asked.question if asked and asked.phase == "waiting" else None
        stands = wrote.incident.question.digest == told.command.digest
        # One that came too late is decided anew; where that comes to the same question it stands.
        if asked and question and stands:
            return Approval(told, asked)
    return None
