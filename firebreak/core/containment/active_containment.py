"""What stands on one target, and for whom: origin, what was applied, and one hold for each incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from firebreak.core.cloud_run.setting_names import RUNNING, is_final
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import HeldStep
from firebreak.core.storage_names import Stored
from firebreak.core.timestamps import NANOS

Settings = Mapping[str, Setting | None]
"""Some settings; None is unset."""


WRITING_NS = 120 * NANOS
"""How long a containment that was begun has others wait: longer than any one delivery may take."""
RELEASE_NS = 600 * NANOS
"""How long a release that was begun keeps others from its target."""


@dataclass(frozen=True, slots=True)
class Hold(Stored):
    """One incident's claim on the target: the steps it asked for and the revisions it suspects."""

    incident: str
    steps: tuple[HeldStep, ...]
    suspects: frozenset[str]
    taken_ns: int


@dataclass(frozen=True, slots=True)
class Standing(Stored):
    """`origin` is the settings before Firebreak's first write, `applied` what it last wrote and saw in force.

    `pending` is what is being written and not seen in force yet: a crash leaves it either there or not. `holds` stand
    in the order in which they were taken. `verified_ns` is when `applied` was last seen in force, `changed_ns` the
    service's own time of change then: a later one is somebody else's. `releasing` names the incident whose release is
    being written, and since when; meanwhile nobody else writes. `released_ns` is when a person last released a hold,
    `origin_changed_ns` when the service had changed last before the first hold was taken. `drift` tells the last
    difference that was reported, so that it is reported once.
    """

    target: str
    origin: Mapping[str, Setting] = field(default_factory=dict)
    applied: Mapping[str, Setting] = field(default_factory=dict)
    pending: Settings = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    verified_ns: int | None = None
    changed_ns: int | None = None
    origin_changed_ns: int | None = None
    released_ns: int | None = None
    releasing: str = ""
    releasing_ns: int = 0
    place: Target | None = None
    drift: str = ""

    @property
    def suspects(self) -> frozenset[str]:
        """The revisions that any hold suspects."""
        return frozenset[str]().union(*(hold.suspects for hold in self.holds))

    def held_by(self, incident: str) -> bool:
        """Whether this incident holds the target."""
        return any(hold.incident == incident for hold in self.holds)

    def held_by_others(self, incident: str) -> bool:
        """Whether another incident than this one holds the target."""
        return any(hold.incident != incident for hold in self.holds)

    def being_released(self, incident: str, now_ns: int) -> bool:
        """Whether another incident's release is being written; one that was left lying for long does not count."""
        return self.releasing not in ("", incident) and now_ns - self.releasing_ns < RELEASE_NS

    def being_written(self, incident: str, now_ns: int) -> str:
        """What another incident is writing to the target just now, for a sentence; empty if nothing."""
        if self.being_released(incident, now_ns):
            return f"the release of {self.releasing}"
        last = self.holds[-1] if self.holds and self.pending else None
        if last is None or last.incident == incident or now_ns - last.taken_ns >= WRITING_NS:
            return ""
        return f"the containment of {last.incident}"

    def without(self, incident: str) -> Standing:
        """The same standing with one hold fewer."""
        return replace(self, holds=tuple(hold for hold in self.holds if hold.incident != incident))

    def wrote(self, key: str, value: Setting | None) -> bool:
        """Whether the setting is as Firebreak wrote it, or may have; any other value is a person's."""
        return value == self.applied.get(key) or (key in self.pending and value == self.pending[key])

    def holding(self, hold: Hold, before: State, after: State) -> Standing:
        """The standing once `hold` is taken and `after` is about to be written over `before`.

        The first hold's `before` is the origin; a setting that a person has changed since is a new part of it.
        """
        fresh = not self.holds and not self.pending
        known = replace(self, origin=dict(before), applied=dict(before)) if fresh else self.adopting(before)
        writing = {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        return replace(known, holds=_with(self.holds, hold), pending={**known.pending, **writing}, releasing="")

    def adopting(self, now: State) -> Standing:
        """The standing once every setting that a person has changed counts as theirs, and will not be restored."""
        theirs = {key: now.get(key) for key in now.keys() | self.applied.keys() if not self.wrote(key, now.get(key))}
        pending = {key: value for key, value in self.pending.items() if key not in theirs}
        return replace(self, origin=laid(self.origin, theirs), applied=laid(self.applied, theirs), pending=pending)

    def joined(self, hold: Hold) -> Standing:
        """The standing with a hold for which nothing has to be written."""
        return replace(self, holds=_with(self.holds, hold))

    def confirmed(self, now: State, at_ns: int, changed_ns: int) -> Standing:
        """The standing once what is pending was looked for: what is in force was applied, the rest never was."""
        there = {key: value for key, value in self.pending.items() if now.get(key) == value}
        applied = laid(self.applied, there)
        return replace(self, applied=applied, pending={}, verified_ns=at_ns, changed_ns=changed_ns, drift="")

    def restoring(self, incident: str, settings: Settings, at_ns: int) -> Standing:
        """The standing while the release of one incident is being written; the hold stays until that is in force."""
        return replace(self, pending={**self.pending, **settings}, releasing=incident, releasing_ns=at_ns)

    def restored(self, incident: str, now: State, changed_ns: int) -> Standing:
        """The standing once that hold is gone; of the last one, nothing is left but when the service changed."""
        rest = self.without(incident)
        if not rest.holds:
            return self.ended(self.released_ns, changed_ns)
        there = {key: value for key, value in self.pending.items() if now.get(key) == value}
        return replace(rest, applied=laid(self.applied, there), pending={}, releasing="", changed_ns=changed_ns)

    def ended(self, released_ns: int | None, changed_ns: int | None = None) -> Standing:
        """The standing once nothing stands any more: when that was, and what a newer version wrote beside it."""
        return Standing(self.target, released_ns=released_ns, changed_ns=changed_ns, unknown_keys=self.unknown_keys)

    def drifted(self, now: State) -> Settings:
        """Settings that are no longer as Firebreak wrote them, with the values they have now."""
        keys = (key for key in now.keys() | self.applied.keys() if not self.wrote(key, now.get(key)))
        return {key: now.get(key) for key in sorted(keys) if not is_final(key) or now.get(key) == RUNNING}


def _with(holds: tuple[Hold, ...], hold: Hold) -> tuple[Hold, ...]:
    """The holds with this one in its place, which is where its incident took it first."""
    mine = next((one for one in holds if one.incident == hold.incident), None)
    if mine is None:
        return (*holds, hold)
    kept = replace(hold, taken_ns=mine.taken_ns, suspects=mine.suspects | hold.suspects, unknown_keys=mine.unknown_keys)
    return tuple(kept if one.incident == hold.incident else one for one in holds)


def laid(state: State, over: Settings) -> dict[str, Setting]:
    """The state with some settings laid over it."""
    merged: dict[str, Setting | None] = {**state, **over}
    return {key: value for key, value in merged.items() if value is not None}
