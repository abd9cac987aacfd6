"""Blast radius: which targets were contained without a person within the hour, and whether more of them may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Plan
from firebreak.core.policy.policy import Limits
from firebreak.core.storage_names import Stored
from firebreak.core.timestamps import NANOS

HOUR_NS = 3600 * NANOS


@dataclass(frozen=True, slots=True)
class Slot(Stored):
    """One target that one incident contains, or has contained, without a person, and since when."""

    incident: str
    target: Target
    at_ns: int


@dataclass(frozen=True, slots=True)
class Slots(Stored):
    """All slots in use, of every project: one record, so that both limits are checked and taken together.

    `lost_ns` is when an earlier record was found broken or gone: for an hour from then nobody knows how many there are.
    """

    taken: tuple[Slot, ...] = ()
    lost_ns: int | None = None

    def of_last_hour(self, now_ns: int) -> Slots:
        """Those of the last hour."""
        taken = tuple(one for one in self.taken if now_ns - one.at_ns < HOUR_NS)
        lost = self.lost_ns is not None and now_ns - self.lost_ns < HOUR_NS
        return replace(self, taken=taken, lost_ns=self.lost_ns if lost else None)

    def targets_without_slot(self, incident: str, targets: Iterable[Target]) -> tuple[Target, ...]:
        """Those of the targets for which the incident has none yet."""
        own = [one.target for one in self.taken if one.incident == incident]
        return tuple(target for target in targets if not any(_is_same_target(target, one) for one in own))

    def with_slots(self, incident: str, targets: Iterable[Target], at_ns: int) -> Slots:
        """These and one more for each target, in the incident's name."""
        new = (Slot(incident, replace(one, revision=None, execution=None), at_ns) for one in targets)
        return replace(self, taken=(*self.taken, *new))

    def without_incident(self, incident: str) -> Slots:
        """The same once the incident has given its own back."""
        return replace(self, taken=tuple(one for one in self.taken if one.incident != incident))


def written_targets(plan: Plan) -> tuple[Target, ...]:
    """The targets to which the plan would write."""
    return tuple({one.target.key: one.target for one in plan.changes if one.after}.values())


def over_limit(slots: Slots, wanted: tuple[Target, ...], limits: Limits) -> str:
    """Why the wanted targets may not be contained without a person; empty if they may. All of them, or none.

    A target counts once, however many incidents contain it.
    """
    if slots.lost_ns is not None:
        return "the record of containments within the hour was lost, which counts as used up for an hour"
    there = _distinct_targets(one.target for one in slots.taken)
    together = _distinct_targets((*there, *wanted))
    for target in wanted:
        used, needed = (sum(may_be_one_project(one, target) for one in targets) for targets in (there, together))
        project = target.project_id or target.project
        if needed > limits.per_project_per_hour:
            return _reason(limits.per_project_per_hour, used, needed, f"in project {project}")
    if len(together) > limits.per_hour:
        return _reason(limits.per_hour, len(there), len(together), "in all")
    return ""


def _reason(limit: int, used: int, needed: int, where: str) -> str:
    if used >= limit:
        return f"the limit of {limit} containments {where} per hour is used up"
    return f"the limit is {limit} containments {where} per hour; with this one it would be {needed}"


def may_be_one_project(one: Target, other: Target) -> bool:
    """Whether the projects of two targets are not known to differ: an id and a number alone tell nothing."""
    if one.project_spellings & other.project_spellings:
        return True
    pairs = zip(_project_spellings(one), _project_spellings(other), strict=True)
    return not any(mine and theirs and mine != theirs for mine, theirs in pairs)


def _project_spellings(target: Target) -> tuple[str, str]:
    """The project's id and its number, empty where they are not known."""
    named = target.project
    id_, number = ("", named) if named.isdigit() else (named, "")
    return target.project_id or id_, target.project_number or number


def _is_same_target(one: Target, other: Target) -> bool:
    return one.key == other.key or one.same_workload(other)


def _distinct_targets(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Each target once, however it is spelled."""
    found: list[Target] = []
    for target in targets:
        if not any(_is_same_target(target, one) for one in found):
            found.append(target)
    return tuple(found)
