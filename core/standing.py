"""What stands on one target, and for whom: origin, what was applied, and one hold for each incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.action import Refusal, Setting, State
from core.case import Case
from core.plan import Actions, HeldStep


@dataclass(frozen=True, slots=True)
class Hold:
    """One incident's claim on the target: the steps it asked for and the revisions it suspects."""

    incident: str
    steps: tuple[HeldStep, ...]
    suspects: frozenset[str]
    taken_ns: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`origin` is the settings before Firebreak's first write, `applied` what it last wrote, `holds` in order taken.

    `verified_ns` is when `applied` was last seen in force; `released_ns` when a person last released the last hold.
    """

    target: str
    origin: Mapping[str, Setting] = field(default_factory=dict)
    applied: Mapping[str, Setting] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    verified_ns: int | None = None
    released_ns: int | None = None

    def held_by(self, incident: str) -> bool:
        """Whether this incident holds the target."""
        return any(hold.incident == incident for hold in self.holds)

    def without(self, incident: str) -> Standing:
        """The same standing with one hold fewer."""
        return replace(self, holds=tuple(hold for hold in self.holds if hold.incident != incident))

    def holding(self, hold: Hold, before: State, applied: State) -> Standing:
        """The standing once `hold` is taken; the first hold's `before` is the origin."""
        others = tuple(one for one in self.holds if one.incident != hold.incident)
        mine = next((one for one in self.holds if one.incident == hold.incident), None)
        kept = replace(hold, taken_ns=mine.taken_ns) if mine else hold
        origin = self.origin if self.holds else before
        return replace(self, origin=dict(origin), applied=dict(applied), holds=(*others, kept), verified_ns=None)


def should_stand(standing: Standing, case: Case, actions: Actions) -> State | Refusal:
    """The fold of all holds' edits over the origin; every edit sees the union of all holds' suspects."""
    suspects = frozenset[str]().union(*(hold.suspects for hold in standing.holds))
    whole = replace(case, suspicion=replace(case.suspicion, rule="named", revisions=suspects))
    state: State = dict(standing.origin)
    for hold in sorted(standing.holds, key=lambda one: one.taken_ns):
        for step in hold.steps:
            action = actions[step.action]
            edited = action.edit(state, whole, action.params(**step.params))
            if isinstance(edited, Refusal):
                return Refusal(f"{step.action} for {hold.incident}: {edited.reason}")
            state = edited
    return state


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a release would write, and the settings that a person changed since and that are left alone."""

    state: State
    left_alone: tuple[str, ...]


def restoration(current: State, applied: Mapping[str, Setting], wanted: State) -> Restoration:
    """Key by key: a setting that still equals what Firebreak wrote goes to `wanted`; any other is a person's."""
    state: dict[str, Any] = dict(current)
    left: list[str] = []
    for key in sorted(applied.keys() | wanted.keys()):
        if applied.get(key) == wanted.get(key):
            continue
        if current.get(key) == applied.get(key):
            state[key] = wanted.get(key)
        elif current.get(key) != wanted.get(key):
            left.append(key)
    return Restoration({key: value for key, value in state.items() if value is not None}, tuple(left))
