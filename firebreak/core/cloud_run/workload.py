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
    """One revision of a service or worker pool, or one execution of a job.

    Attributes:
        name: short name.
        created_ns: nanoseconds since 1970.
        fault: why it cannot serve; None means that Cloud Run reports it as Ready.
        gen1: whether it runs on the first generation, in which threats are not detected.
        digests: `sha256:…` of every container's image; empty where images are named by tag alone.
        service_account: email address that it runs as; empty means the project's default account.
        min_instances: instances that this revision keeps running by itself.
        max_request_seconds: longest time that a request may take, in seconds; 0 where it is not known.
        by_tag: whether a container's image is named by a tag alone, so that `digests` are not all.
        creator: email address of whoever deployed it; empty where it is not known.
    """

    name: str
    created_ns: int
    fault: str | None
    gen1: bool
    digests: frozenset[str]
    service_account: str = ""
    min_instances: int = 0
    max_request_seconds: int = 0
    by_tag: bool = False
    creator: str = ""

    @property
    def images_known(self) -> bool:
        """Whether the image of every container is known."""
        return bool(self.digests) and not self.by_tag


@dataclass(frozen=True, slots=True)
class Workload:
    """What Google's APIs said of one workload at one moment.

    Attributes:
        target: the workload that was read.
        state: its settings; surfaces that could not be read are absent.
        etags: one for each surface that is written under an etag.
        revisions: every revision; of a job, its executions.
        latest: short name of the revision that LATEST means; None where it is not known.
        effective: where traffic goes now: revision to percent, LATEST resolved; of a job, runs to 100.
        effective_tags: where tags lead now: tag to revision.
        settled: whether Cloud Run has finished with the last change.
        created_ns: nanoseconds since 1970; 0 where it is not known.
        updated_ns: last change of the workload itself, nanoseconds since 1970; 0 where it is not known.
        last_modifier: email address of whoever changed it last; empty where it is not known.
        labels: the workload's labels.
        urls: every URL that Cloud Run serves it at.
        service_account: email address of its template; empty means the project's default account.
        invokers: members that may invoke it; None where the IAM policy could not be read.
        min_instances: instances that the service keeps running over all revisions.
        regions: regions of a multi-region service; empty for a service in one region.
        function: whether Cloud Functions deployed it.
        iap: whether Identity-Aware Proxy is in front of all its addresses, so that it says who may send requests.
        unread: surface to the reason why its settings could not be read.
        away: those of them that may answer the next time: nothing was denied.
        uid: Google's own identity of the resource; one made anew under the same name has another. Empty where it is
            not known.
        originals: Google's own messages, for the vault.
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
    iap: bool = False
    unread: Mapping[str, str] = field(default_factory=dict)
    away: frozenset[str] = frozenset()
    uid: str = ""
    originals: Originals = field(default=no_originals, repr=False, compare=False)

    @property
    def reachable(self) -> frozenset[str]:
        """Revisions that get requests or instances, as wished for or as it still is; of a job, what runs."""
        now = {name for name, percent in self.effective.items() if percent} | set(self.effective_tags.values())
        return led_to(self.state, self.latest) | now

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
    """Parse `good=90,LATEST=10`. An empty split means 100 % to LATEST (run_v2.Service docstring, `traffic`)."""
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


def led_to(state: State, latest: str | None) -> frozenset[str]:
    """Revisions that these settings send requests or instances to; of a job, what runs."""
    uses = references(state, latest).items()
    return frozenset(name for name, use in uses if use.percent or use.tags) | running(state)


def _means(entry: str, latest: str | None) -> str:
    return latest or LATEST if entry == LATEST else entry
