"""From policy steps to a plan: what would change, setting by setting, and the digest of all that it rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from firebreak.core.actions.words import RefusalKind
from firebreak.core.cloud_run.setting_names import IDENTITY, LATEST
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import split_key, split_of
from firebreak.core.serialization import encode
from firebreak.core.storage_names import Stored


@dataclass(frozen=True, slots=True)
class Change(Stored):
    """One write to one surface of one target.

    Attributes:
        target: the target that is written.
        surface: the surface that is written.
        before: only the settings that differ; None means unset.
        after: the same settings after the write; None means unset. Empty: nothing is written, only verified.
        basis: what the draft rests on and the settings do not show; JSON values.
        actions: names of the actions that led to this change.
    """

    target: Target
    surface: str
    before: Mapping[str, Setting | None]
    after: Mapping[str, Setting | None]
    basis: Mapping[str, Any]
    actions: tuple[str, ...]

    @property
    def turns_to(self) -> frozenset[str]:
        """Revisions that get a larger share by it than they had: the refuge, if it is a pin."""
        before, after = ({key: text for key, text in one.items() if text} for one in (self.before, self.after))
        if split_key(after) is None:
            return frozenset()
        had = split_of(before)
        grown = (name for name, share in split_of(after).items() if share > had.get(name, 0))
        return frozenset(grown) - {LATEST}


@dataclass(frozen=True, slots=True)
class StepRefusal(Stored):
    """A step that could not be drawn, and why."""

    action: str
    reason: str
    kind: RefusalKind = "cannot"


@dataclass(frozen=True, slots=True)
class HeldStep(Stored):
    """A step that was applied, in the form that survives storage."""

    action: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan(Stored):
    """What would be written. `fallback` is what follows if a change fails for good; `steps` are the steps behind it.

    The changes of the finding's own target come first; further ones are of its service in other regions, and of the
    service accounts that suspects run as. Each target has a standing containment of its own.
    """

    changes: tuple[Change, ...]
    steps: tuple[HeldStep, ...]
    refusals: tuple[StepRefusal, ...] = ()
    fallback: tuple[Change, ...] = ()
    policy_set: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over target, before, after, basis, actions, fallback and policy set; never over an etag."""
        covered = encode((self.changes, self.fallback, self.policy_set))
        text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def writes(self) -> bool:
        """Whether anything would be written."""
        return any(change.after for change in self.changes)

    @property
    def undone(self) -> tuple[StepRefusal, ...]:
        """What the policy wants done and a person has to see to: no edit refused it, so nothing took its place."""
        return tuple(one for one in self.refusals if one.kind in ("unread", "disputed", "fault"))

    @property
    def moves(self) -> tuple[Change, ...]:
        """What would be written, now or where it fails."""
        return (*self.changes, *self.fallback)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target that is changed, or verified, in the order of the changes."""
        return tuple({change.target.key: change.target for change in self.changes}.values())

    def changes_to(self, target: Target) -> tuple[Change, ...]:
        """The changes of one target."""
        return tuple(change for change in self.changes if change.target.key == target.key)

    def steps_on(self, target: Target) -> tuple[HeldStep, ...]:
        """The steps that were applied to one target: what this incident holds in its active containment."""
        applied = {action for change in self.changes_to(target) for action in change.actions}
        return tuple(step for step in self.steps if step.action in applied)

    def with_change(self, change: Change) -> Plan:
        """This plan, with the change in the place of its own on the same surface of the same target."""
        same = change.target.key, change.surface
        others = (one for one in self.changes if (one.target.key, one.surface) != same)
        return replace(self, changes=in_write_order((*others, change)))

    def combined_with(self, other: Plan, place: str) -> Plan:
        """This plan and another target's, whose refusals are told with its place."""
        steps = (*self.steps, *(step for step in other.steps if step not in self.steps))
        refusals = (*self.refusals, *(replace(one, reason=f"{place}: {one.reason}") for one in other.refusals))
        return replace(
            self,
            changes=in_write_order((*self.changes, *other.changes)),
            steps=steps,
            refusals=refusals,
            fallback=in_write_order((*self.fallback, *other.fallback)),
        )


def in_write_order(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """The changes in the order of writing: service accounts last.

    An update of a service checks `actAs` on its account, and may fail once that account is disabled.
    """
    return tuple(sorted(changes, key=lambda one: one.surface == IDENTITY))


def apply_change(state: State, change: Change) -> State:
    """The settings once the change is made: everything it does not name stays."""
    merged: dict[str, Setting | None] = {**state, **change.after}
    return {key: value for key, value in merged.items() if value is not None}


def has_settings(state: State, settings: Mapping[str, Setting | None]) -> bool:
    """Whether the settings in force are these, None meaning unset."""
    return all(state.get(key) == value for key, value in settings.items())


@dataclass(frozen=True, slots=True)
class Outcome(Stored):
    """The result of one change.

    Attributes:
        surface: the surface that was to be written.
        status: one of OCSF's words: `Success`, `Failure`, `Does Not Exist`, `Partial` or `Unsupported`.
        detail: what happened, as a sentence.
        actions: names of the actions that led to the change.
        still_open: what the containment does not close.
        target: the target's key; empty in records of older versions.
        plan: digest of the plan that the change is of; empty in records of older versions.
        joined: other incidents whose containment it joined, where nothing had to be written: some, and how many more.
    """

    surface: str
    status: str
    detail: str
    actions: tuple[str, ...] = ()
    still_open: tuple[str, ...] = ()
    target: str = ""
    plan: str = ""
    joined: tuple[str, ...] = ()


SUCCESS = "Success"
GONE = "Does Not Exist"
