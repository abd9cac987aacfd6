"""A model of Cloud Run and of service accounts: wished and effective settings, two etags a service, uids, operations.

Nothing of the product decides here what becomes of a write: only its values and names are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from firebreak.core.cloud_run.setting_names import (
    EXECUTION,
    LATEST,
    POOL_SPLIT,
    RUNNING,
    SPLIT,
    TAG,
)
from firebreak.core.cloud_run.state import Setting, State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision
from tests.model.clock import SECOND, Clock

Ending = Literal["well", "in an error", "in an error, and in effect"]
NUMBERS: Mapping[str, str] = {
    "shop-prod": "424242424242",
    "payments-prod": "434343434343",
    "firebreak-ops": "777000777000",
}
"""Project id to number."""
IDS = {number: name for name, number in NUMBERS.items()}
ETAGGED = ("service", "service_iam", "worker_pool", "job_iam")
QUICK, LONG, ENDLESS = 0.3, 900.0, 7 * 86_400.0
"""Seconds that an operation takes."""


def place_of(target: Target) -> str:
    """One spelling for one resource, whichever way its project is spelled."""
    return f"{IDS.get(target.project, target.project)}/{target.location}/{target.kind}/{target.name}"


def target_at(place: str) -> Target:
    """The target of that place, its project by id."""
    project, location, kind, name = place.split("/")
    number = NUMBERS.get(project)
    return Target(project, location, kind, name, project_id=project, project_number=number)  # type: ignore[arg-type]  # as placed


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as Google keeps it: `settings` are what is wished for, `effective` and `tags` what serves.

    `behind` says that the last wish did not come true, so that the observed generation stays the one before;
    `broken_deploy` that the newest template makes no Ready revision, whatever becomes of the traffic.
    """

    target: Target
    uid: str
    created_ns: int
    updated_ns: int
    settings: State
    revisions: tuple[Revision, ...] = ()
    effective: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    etags: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    account: str = ""
    modifier: str = "ci@shop.example"
    generation: int = 1
    reconciling: bool = False
    behind: bool = False
    broken_deploy: bool = False

    @property
    def place(self) -> str:
        return place_of(self.target)

    @property
    def latest(self) -> str | None:
        """The newest revision that is Ready."""
        ready = [one for one in self.revisions if one.fault is None]
        return max(ready, key=lambda one: one.created_ns).name if ready and self.target.kind != "job" else None

    @property
    def wished(self) -> tuple[Mapping[str, int], Mapping[str, str]]:
        """What would serve if the settings came true: revision to percent, tag to revision, LATEST resolved."""
        if self.target.kind == "job":
            return {key.removeprefix(EXECUTION): 100 for key, value in self.settings.items() if value == RUNNING}, {}
        if self.target.kind == "service_account":
            return {}, {}
        latest = self.latest or LATEST
        percents: dict[str, int] = {}
        for name, percent in split_of(self.settings).items():
            percents[latest if name == LATEST else name] = percents.get(latest if name == LATEST else name, 0) + percent
        tags = {key.removeprefix(TAG): str(value) for key, value in self.settings.items() if key.startswith(TAG)}
        return {name: percent for name, percent in percents.items() if percent}, {
            tag: latest if name == LATEST else name for tag, name in tags.items()
        }

    @property
    def possible(self) -> bool:
        """Whether every revision that the settings name exists."""
        if self.target.kind == "job":
            return True
        percents, tags = self.wished
        return {*percents, *tags.values()} <= {one.name for one in self.revisions}

    def served(self) -> Resource:
        """The resource once what is wished for serves."""
        effective, tags = self.wished
        return replace(self, effective=effective, tags=tags, reconciling=False, behind=self.broken_deploy)

    def with_settings(self, changed: Mapping[str, Setting | None]) -> Resource:
        """The resource with these settings; None unsets."""
        merged = {**self.settings, **changed}
        return replace(self, settings={key: value for key, value in merged.items() if value is not None})

    def touched(self, surface: str, now_ns: int, by: str) -> Resource:
        """The resource after a write to that surface: a new etag, and, where it is the resource's own, a new time."""
        etags = {**self.etags, surface: self.etags.get(surface, 0) + 1} if surface in ETAGGED else self.etags
        if surface.endswith("_iam"):
            return replace(self, etags=etags)
        return replace(self, etags=etags, updated_ns=now_ns, modifier=by, generation=self.generation + 1)


@dataclass(frozen=True, slots=True)
class Operation:
    """A write under way."""

    name: str
    place: str
    uid: str
    generation: int
    ends_ns: int
    ending: Ending
    over: bool = False
    failed: bool = False


@dataclass
class Cloud:
    """Every resource and operation; `next_ending` and `next_seconds` are how the next write by Firebreak goes."""

    clock: Clock
    resources: dict[str, Resource] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    next_ending: Ending = "well"
    next_seconds: float = QUICK
    takes_ingress_none: bool = True
    takes_public_members: bool = True
    made: int = 0

    def copy(self) -> Cloud:
        """The same, apart; what it holds never changes."""
        return replace(self, resources=dict(self.resources), operations=dict(self.operations))

    def at(self, place: str) -> Resource | None:
        """The resource as it is now, with every operation that is over applied."""
        self.end_operations()
        return self.resources.get(place)

    def new_uid(self) -> str:
        """A uid that no resource has had."""
        self.made += 1
        return f"uid-{self.made:04d}"

    def put(self, resource: Resource) -> None:
        """The resource in the place of the one there."""
        self.resources[resource.place] = resource

    def write(self, resource: Resource, surface: str, changed: Mapping[str, Setting | None]) -> str:
        """Firebreak's own write, which takes effect when its operation ends; its name, empty where there is none."""
        written = resource.with_settings(changed).touched(surface, self.clock.now_ns, "firebreak@ops.example")
        if surface.endswith("_iam") or surface == "service_account":
            self.put(written)
            return ""
        name = f"operations/{self.clock.next_id()}"
        ending: Ending = "in an error, and in effect" if written.broken_deploy else self.next_ending
        ending = ending if written.possible else "in an error"
        ends_ns = self.clock.now_ns + round(self.next_seconds * SECOND)
        self.operations[name] = Operation(name, written.place, written.uid, written.generation, ends_ns, ending)
        self.next_ending, self.next_seconds = "well", QUICK
        self.put(replace(written, reconciling=True))
        return name

    def finish_operations(self) -> None:
        """Every operation ends now."""
        now_ns = self.clock.now_ns
        self.operations = {
            name: one if one.over else replace(one, ends_ns=min(one.ends_ns, now_ns))
            for name, one in self.operations.items()
        }
        self.end_operations()

    def end_operations(self) -> None:
        """Apply every operation that is over by now."""
        for name, one in self.operations.items():
            if one.over or one.ends_ns > self.clock.now_ns:
                continue
            self.operations[name] = replace(one, over=True, failed=one.ending != "well")
            resource = self.resources.get(one.place)
            # A later write took this one's place: what is wished for now comes with that one's operation.
            if resource is None or (resource.uid, resource.generation) != (one.uid, one.generation):
                continue
            failed = one.ending == "in an error"
            self.put(replace(resource, reconciling=False, behind=True) if failed else resource.served())


def split_of(settings: State) -> dict[str, int]:
    """`good=90,LATEST=10` as a mapping; an empty one means everything to LATEST."""
    text = str(settings.get(SPLIT, settings.get(POOL_SPLIT, "")))
    pairs = (part.rpartition("=") for part in text.split(",") if part)
    return {name: int(percent) for name, _, percent in pairs} or {LATEST: 100}
