"""What is contained on one target, and for which incidents: origin, applied settings, one hold for each incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from firebreak.core.cloud_run.setting_names import RUNNING, is_final, is_traffic
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import HeldStep
from firebreak.core.errors import AnotherResource
from firebreak.core.storage_names import Stored
from firebreak.core.timestamps import NANOS

Settings = Mapping[str, Setting | None]
"""Some settings; None is unset."""


WRITING_NS = 120 * NANOS
"""How long other incidents wait for a containment that has begun: longer than any delivery may take."""
RELEASE_NS = 600 * NANOS
"""After how long a release that has begun and not ended counts as abandoned."""


@dataclass(frozen=True, slots=True)
class Hold(Stored):
    """One incident's claim on the target: the steps it asked for and the revisions it suspects.

    Attributes:
        incident: its id.
        steps: what it asked for, in the order of its policy.
        suspects: the revisions that it suspects.
        taken_ns: when it was taken, nanoseconds since 1970.
        let_go: settings that a release has given back, while others of the hold are still held.
        unsupported: `key=value` settings that the API did not take.
        unseen: whether nothing of it was seen in force yet, since it was taken for a write.
    """

    incident: str
    steps: tuple[HeldStep, ...]
    suspects: frozenset[str]
    taken_ns: int
    let_go: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Standing(Stored):
    """What is contained on one target, and for which incidents.

    Attributes:
        target: the target's key.
        origin: the settings before Firebreak's first write.
        applied: the settings that Firebreak wrote last and saw in force.
        pending: settings that are being written and were not seen in force yet; after a crash, either value may be
            there.
        holds: one for each incident, in the order in which they were taken; empty means that nothing is contained.
        verified_ns: when `applied` was last seen in force, nanoseconds since 1970; None before the first time.
        changed_ns: the workload's own time of change at that moment; a later one is somebody else's change.
        origin_changed_ns: when the workload had last changed before the first hold was taken; None if not known.
        released_ns: when a person last released a hold; None if nobody has.
        releasing: incident whose release is being written; empty if none is. Meanwhile nobody else writes.
        releasing_ns: when that release began, nanoseconds since 1970.
        place: the target itself, so that it can be read without its incident; None in records of older versions.
        drift: the difference that was reported last, so that it is reported once; empty while there is none.
        uid: Google's own identity of the resource, which one made anew under the same name does not have; empty where
            it is not known.
        etag: of the surface as it was read before `pending` was written; another one means that somebody wrote.
        floors: place of another sealed record to the lowest counter that it may have.
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
    uid: str = ""
    etag: str = ""
    floors: Mapping[str, int] = field(default_factory=dict)

    @property
    def written(self) -> tuple[object, ...]:
        """What Firebreak has done there so far: another one tells that settings were written meanwhile."""
        return self.holds, self.applied, self.pending, self.verified_ns, self.releasing, self.released_ns

    @property
    def suspects(self) -> frozenset[str]:
        """The revisions that any hold suspects."""
        return frozenset[str]().union(*(hold.suspects for hold in self.holds))

    @property
    def guarded(self) -> frozenset[str]:
        """The suspects that traffic must not lead to: not those of a hold whose traffic a release has given back."""
        return frozenset[str]().union(
            *(one.suspects for one in self.holds if not any(is_traffic(key) for key in one.let_go))
        )

    def held_by(self, incident: str) -> bool:
        """Whether this incident holds the target."""
        return any(hold.incident == incident for hold in self.holds)

    def in_effect(self, incident: str) -> bool:
        """Whether anything that this incident asked for was seen in force, whatever is being written now."""
        return any(hold.incident == incident and not hold.unseen for hold in self.holds)

    def wrote_last(self, incident: str) -> bool:
        """Whether what is pending is this incident's."""
        return bool(self.pending and self.holds) and self.holds[-1].incident == incident and not self.releasing

    def held_by_others(self, incident: str) -> bool:
        """Whether another incident than this one holds the target."""
        return any(hold.incident != incident for hold in self.holds)

    def beside(self, incident: str) -> tuple[object, ...]:
        """What is there beside this incident: the holds of others, and whose release is being written."""
        return self.without_hold(incident).holds, self.releasing

    def being_written(self, incident: str, now_ns: int) -> str:
        """What another incident is writing to the target now, as part of a sentence; empty if nothing.

        A release older than RELEASE_NS counts as abandoned.
        """
        if self.releasing not in ("", incident) and now_ns - self.releasing_ns < RELEASE_NS:
            return f"the release of {self.releasing}"
        last = self.holds[-1] if self.holds and self.pending else None
        if last is None or last.incident == incident or now_ns - last.taken_ns >= WRITING_NS:
            return ""
        return f"the containment of {last.incident}"

    def with_uid(self, uid: str, created_ns: int | None) -> Standing:
        """The standing as that of the resource of that uid, which was created then; raises AnotherResource.

        Where versions before kept no uid, it is the same resource if it was there before the first hold was taken.
        """
        if self.uid == uid:
            return self
        first = min((hold.taken_ns for hold in self.holds), default=None)
        if first is None or (not self.uid and created_ns is not None and created_ns < first):
            return replace(self, uid=uid)
        what = "was made anew" if self.uid else "may have been made anew"
        message = f"{self.target} {what} since it was contained: what stands is of the one before"
        raise AnotherResource(message)

    def without_hold(self, incident: str) -> Standing:
        """The standing without this incident's hold."""
        return replace(self, holds=tuple(hold for hold in self.holds if hold.incident != incident))

    def is_as_written(self, key: str, value: Setting | None) -> bool:
        """Whether the setting is as Firebreak wrote it, or may have; any other value is a person's."""
        return value == self.applied.get(key) or (key in self.pending and value == self.pending[key])

    def is_of_another(self, uid: str) -> bool:
        """Whether it is known to be of another resource than the one of that uid."""
        return bool(self.uid and uid) and self.uid != uid

    def of_resource(self, uid: str) -> Standing:
        """The standing of the resource with this uid; what was held of one that is gone is over."""
        if self.is_of_another(uid):
            return replace(self.without_holds(self.released_ns), uid=uid)
        return replace(self, uid=uid or self.uid)

    def with_pending_write(self, hold: Hold, before: State, after: State, changed_ns: int) -> Standing:
        """The standing with `hold`, before `after` is written over `before`, which was last changed at `changed_ns`.

        With the first hold, `before` becomes the origin; settings that a person has changed since then replace theirs.
        """
        fresh = not self.holds and not self.pending
        known = (
            replace(self, origin=dict(before), applied=dict(before), origin_changed_ns=changed_ns)
            if fresh
            else self.with_changes_by_others(before)
        )
        writing = {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        return replace(known, holds=_add_hold(self.holds, hold), pending={**known.pending, **writing}, releasing="")

    def with_changes_by_others(self, now: State) -> Standing:
        """The standing with the settings that a person has changed taken over as origin, so that they stay."""
        theirs = {
            key: now.get(key) for key in now.keys() | self.applied.keys() if not self.is_as_written(key, now.get(key))
        }
        pending = {key: value for key, value in self.pending.items() if key not in theirs}
        return replace(
            self,
            origin=merge_settings(self.origin, theirs),
            applied=merge_settings(self.applied, theirs),
            pending=pending,
        )

    def with_hold(self, hold: Hold) -> Standing:
        """The standing with one more hold, for which nothing has to be written."""
        return replace(self, holds=_add_hold(self.holds, hold))

    def with_confirmed_write(self, now: State, at_ns: int, changed_ns: int) -> Standing:
        """The standing after a look at pending settings: those in force in `now` are applied, the others dropped."""
        there = {key: value for key, value in self.pending.items() if now.get(key) == value}
        applied = merge_settings(self.applied, there)
        return replace(self, applied=applied, pending={}, verified_ns=at_ns, changed_ns=changed_ns, drift="")

    def with_landed(self, now: State) -> Standing:
        """The standing with what a containment was writing and is there by now as applied, so that it can be undone."""
        if self.releasing:
            return self
        there = {key: value for key, value in self.pending.items() if now.get(key) == value}
        pending = {key: value for key, value in self.pending.items() if key not in there}
        return replace(self, applied=merge_settings(self.applied, there), pending=pending)

    def with_pending_release(self, incident: str, settings: Settings, at_ns: int) -> Standing:
        """The standing while one incident's release is being written; its hold stays until the release is in force."""
        return replace(self, pending={**self.pending, **settings}, releasing=incident, releasing_ns=at_ns)

    def with_released(
        self, incident: str, keys: Settings, changed_ns: int, persons: frozenset[str] = frozenset()
    ) -> Standing:
        """The standing once these settings were given back, or are not Firebreak's any more: none of it is drift.

        What a person set becomes the origin, so that no release changes it any more: `persons`, and what was never
        written by the release.
        """
        holds = tuple(
            replace(one, let_go=tuple(sorted({*one.let_go, *keys}))) if one.incident == incident else one
            for one in self.holds
        )
        pending = {key: value for key, value in self.pending.items() if key not in keys}
        found = {key for key, one in keys.items() if key not in self.pending and one != self.applied.get(key)}
        theirs = {key: one for key, one in keys.items() if key in found | persons}
        return replace(
            self,
            holds=holds,
            origin=merge_settings(self.origin, theirs),
            applied=merge_settings(self.applied, keys),
            pending=pending,
            changed_ns=changed_ns,
        )

    def with_finished_release(self, incident: str) -> Standing:
        """The standing without that hold; after the last hold, only the times of release and of change remain."""
        rest = replace(self.without_hold(incident), releasing="")
        return rest if rest.holds else self.without_holds(self.released_ns, self.changed_ns)

    def without_holds(self, released_ns: int | None, changed_ns: int | None = None) -> Standing:
        """An empty standing of the same resource with the times of release and of change.

        What it knows of other records stays, and the keys that a newer version wrote.
        """
        empty = Standing(self.target, released_ns=released_ns, changed_ns=changed_ns, uid=self.uid, place=self.place)
        return replace(empty, floors=self.floors, unknown_keys=self.unknown_keys)

    def changed_by_others(self, now: State) -> Settings:
        """Settings that are no longer as Firebreak wrote them, with the values they have now."""
        keys = (key for key in now.keys() | self.applied.keys() if not self.is_as_written(key, now.get(key)))
        return {key: now.get(key) for key in sorted(keys) if not is_final(key) or now.get(key) == RUNNING}


def _add_hold(holds: tuple[Hold, ...], hold: Hold) -> tuple[Hold, ...]:
    """The holds with this one added; an incident that holds the target already keeps its place, steps and suspects."""
    mine = next((one for one in holds if one.incident == hold.incident), None)
    if mine is None:
        return (*holds, hold)
    earlier = () if mine.unseen else mine.steps
    kept = replace(
        hold,
        steps=(*earlier, *(one for one in hold.steps if one not in earlier)),
        unsupported=tuple(sorted({*mine.unsupported, *hold.unsupported})),
        taken_ns=mine.taken_ns,
        suspects=mine.suspects | hold.suspects,
        unseen=mine.unseen and hold.unseen,
        unknown_keys=mine.unknown_keys,
    )
    return tuple(kept if one.incident == hold.incident else one for one in holds)


def merge_settings(state: State, over: Settings) -> dict[str, Setting]:
    """The state with some settings replaced; None removes one."""
    merged: dict[str, Setting | None] = {**state, **over}
    return {key: value for key, value in merged.items() if value is not None}
