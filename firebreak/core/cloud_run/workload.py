"""A Cloud Run workload as it serves: settings, what can be reached, and the revisions that could take over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from firebreak.core.cloud_run.setting_names import LATEST, POOL_SPLIT, SPLIT, TAG, running
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Target
from firebreak.core.facts import Originals, no_originals


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision by short name, or a job's execution. `fault` says why it cannot serve; None means Ready."""

    name: str
    created_ns: int
    fault: str | None
    gen1: bool
    digests: frozenset[str]
    service_account: str = ""
    min_instances: int = 0
    max_request_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Workload:
    """What Google's APIs said of one workload at one moment.

    `etags` has one for each surface that is written under one.
    `effective` is where traffic really goes: revision to percent, LATEST resolved; `effective_tags` likewise tag to
    revision. `invokers` is None where the IAM policy could not be read. `unread` says of each surface that is missing
    from the settings why it could not be read. `originals` are Google's own messages.
    """

    target: Target
    state: State
    etags: Mapping[str, str]
    revisions: tuple[Revision, ...]
    latest: str | None
    effective: Mapping[str, int]
    effective_tags: Mapping[str, str]
    settled: bool
    created_ns: int = 0
    updated_ns: int = 0
    last_modifier: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    service_account: str = ""
    invokers: frozenset[str] | None = None
    min_instances: int = 0
    regions: tuple[str, ...] = ()
    function: bool = False
    unread: Mapping[str, str] = field(default_factory=dict)
    originals: Originals = field(default=no_originals, repr=False, compare=False)

    @property
    def reachable(self) -> frozenset[str]:
        """Revisions that get requests or instances, as wished for or as it still is; of a job, what runs."""
        wished = references(self.state, self.latest)
        now = {name for name, percent in self.effective.items() if percent} | set(self.effective_tags.values())
        return frozenset(name for name, use in wished.items() if use.percent or use.tags) | now | running(self.state)

    @property
    def serving(self) -> frozenset[str]:
        """Revisions that get a share of the traffic, as wished for or as it still is."""
        wished = references(self.state, self.latest)
        now = {name for name, percent in self.effective.items() if percent}
        return frozenset(name for name, use in wished.items() if use.percent) | now

    def revision(self, name: str) -> Revision | None:
        """The revision of that short name, if it still exists."""
        return next((revision for revision in self.revisions if revision.name == name), None)


@dataclass(frozen=True, slots=True)
class Gone:
    """The target does not exist; `reason` is what the API said."""

    reason: str


@dataclass(frozen=True, slots=True)
class Use:
    """How settings refer to one revision: its share, its tags, and whether it is listed at all (even at 0 %)."""

    percent: int
    tags: tuple[str, ...]
    listed: bool


def split_key(state: State) -> str | None:
    """The setting that says which revisions get how much: a service's traffic, a pool's instances; a job has none."""
    return next((key for key in (SPLIT, POOL_SPLIT) if key in state), None)


def split_of(state: State) -> dict[str, int]:
    """Parse `good=90,LATEST=10`; an empty split means what Cloud Run makes of it, all to LATEST."""
    key = split_key(state)
    if key is None:
        return {}
    text = str(state[key])
    pairs = (part.rpartition("=") for part in text.split(",") if part)
    return {name: int(percent) for name, _, percent in pairs} or {LATEST: 100}


def split_text(split: Mapping[str, int]) -> str:
    """The canonical text of a split: sorted, so that equal splits are equal texts."""
    return ",".join(f"{name}={split[name]}" for name in sorted(split))


def tags_of(state: State) -> dict[str, str]:
    """Tag to revision short name or LATEST."""
    return {key.removeprefix(TAG): str(value) for key, value in state.items() if key.startswith(TAG)}


def references(state: State, latest: str | None) -> dict[str, Use]:
    """Every revision that the settings refer to, with LATEST read as `latest`."""
    split, tags = split_of(state), tags_of(state)
    named = {latest or LATEST if name == LATEST else name for name in (*split, *tags.values())}
    return {
        name: Use(
            percent=sum(percent for entry, percent in split.items() if _means(entry, latest) == name),
            tags=tuple(sorted(tag for tag, entry in tags.items() if _means(entry, latest) == name)),
            listed=any(_means(entry, latest) == name for entry in split),
        )
        for name in named
    }


def _means(entry: str, latest: str | None) -> str:
    return latest or LATEST if entry == LATEST else entry
