"""A model of Security Command Center: one state a finding, the newest event in the place of the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from firebreak.core.cloud_run.target import Target
from firebreak.core.findings.finding import Finding, FindingName
from firebreak.core.findings.notification import parse_finding
from firebreak.core.findings.related import RelatedFindings
from firebreak.core.timestamps import format_instant
from firebreak.ports.deadline import Deadline
from sandbox.blueprint import digest_of
from sandbox.scc.notifications import Pair, notification_v2
from tests.model.cloud import NUMBERS, place_of

ORGANIZATION, ELSEWHERE = "123456789012", "999999999999"
ALLOWED, FOREIGN = "5678", "6666"
"""SCC sources: the one that firebreak.yaml lists, and one that it does not."""
ENFORCED = "Execution: Added Malicious Binary Executed"
ASKED = "Reverse Shell"
ASKED_ELSE_CONTAINED = "Execution: Added Malicious Library Loaded"
IDENTITY = "Unexpected Child Shell"
WATCHED = "Execution: Malicious Python executed"
CATEGORIES = (ENFORCED, ASKED, ASKED_ELSE_CONTAINED, IDENTITY, WATCHED)
_COLLECTIONS = {"service": "services", "worker_pool": "workerPools", "job": "jobs"}
_BELOW = {"service": "revisions", "worker_pool": "revisions", "job": "executions"}

Key = tuple[str, str]
"""A finding's source and id."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a finding, or what a forged message says is one.

    Attributes:
        finding: id of the finding.
        at_ns: when it happened, nanoseconds since 1970.
        place: the workload, as `place_of` spells it.
        names: revision or execution that it names; empty where it names none.
        image: number of the image that its container has; None where it gives no container.
        source: id of the SCC source.
        category: the detector's display name.
        spelled: how it spells the project.
        state: ACTIVE or INACTIVE.
        mute: MUTED, UNMUTED or UNDEFINED.
        organization: number of the organization.
    """

    finding: str
    at_ns: int
    place: str
    names: str = ""
    image: int | None = None
    source: str = ALLOWED
    category: str = ENFORCED
    spelled: Literal["id", "number"] = "id"
    state: str = "ACTIVE"
    mute: str = "UNDEFINED"
    organization: str = ORGANIZATION

    @property
    def key(self) -> Key:
        return self.source, self.finding

    def with_parts(self, **parts: Any) -> Event:
        """The same event but for these parts."""
        return replace(self, **parts)

    @property
    def wanted(self) -> bool:
        """Whether SCC says that it needs an answer."""
        return self.state == "ACTIVE" and self.mute != "MUTED"

    @property
    def digests(self) -> frozenset[str]:
        return frozenset() if self.image is None else frozenset({digest_of(self.image)})


@lru_cache(maxsize=4096)
def pair_of(event: Event) -> Pair:
    """The event in SCC's JSON."""
    project, location, kind, name = event.place.split("/")
    below = f"/{_BELOW[kind]}/{event.names}" if event.names else ""
    spelled = project if event.spelled == "id" else NUMBERS[project]
    resource = f"//run.googleapis.com/projects/{spelled}/locations/{location}/{_COLLECTIONS[kind]}/{name}{below}"
    below_container = f"sources/{event.source}/locations/global/findings/{event.finding}"
    containers = (
        [] if event.image is None else [{"name": "app", "uri": "app:latest", "imageId": digest_of(event.image)}]
    )
    finding = {
        "name": f"organizations/{event.organization}/{below_container}",
        "canonicalName": f"projects/{NUMBERS[project]}/{below_container}",
        "resourceName": resource,
        "state": event.state,
        "category": event.category,
        "findingClass": "THREAT",
        "severity": "CRITICAL",
        "mute": event.mute,
        "eventTime": format_instant(event.at_ns),
        "containers": containers,
    }
    where = {
        "project": f"//cloudresourcemanager.googleapis.com/projects/{NUMBERS[project]}",
        "projectDisplayName": project,
        "organization": f"organizations/{event.organization}",
    }
    return {"finding": finding, "resource": {"name": resource, "gcpMetadata": where}}


@lru_cache(maxsize=4096)
def finding_of(event: Event) -> Finding:
    """The event as the product reads it."""
    pair = pair_of(event)
    return parse_finding(pair["finding"], pair["resource"])


@lru_cache(maxsize=4096)
def message_of(event: Event) -> bytes:
    """The message that SCC publishes of it."""
    return notification_v2(pair_of(event))


@dataclass
class Scc:
    """What SCC holds, by finding; every state that it ever held, with the time; and the marks that were set."""

    held: dict[Key, Event] = field(default_factory=dict)
    history: list[tuple[int, Event]] = field(default_factory=list)
    marks: dict[Key, Mapping[str, str]] = field(default_factory=dict)

    def copy(self) -> Scc:
        """The same, apart."""
        return Scc(dict(self.held), list(self.history), dict(self.marks))

    def hold(self, event: Event, now_ns: int) -> None:
        """The event takes the place of what was held of its finding."""
        self.held[event.key] = event
        self.history.append((now_ns, event))


@dataclass(frozen=True, slots=True)
class ModelFindings:
    """The product's two ports to SCC: the store of findings, and the related ones that a source asks for."""

    scc: Callable[[], Scc]

    def find(
        self, name: FindingName, organization: str, deadline: Deadline, other_names: tuple[FindingName, ...] = ()
    ) -> Finding | None:
        """The finding under any of these names, or None where SCC does not hold it."""
        del deadline
        keys = [(one.source, one.finding) for one in (name, *other_names)]
        held = (self.scc().held.get(key) for key in keys)
        return next((finding_of(one) for one in held if one and one.organization == organization), None)

    def active_since(self, organization: str, location: str, since_ns: int, deadline: Deadline) -> Iterator[Finding]:
        """Active, unmuted findings with an event at that time or later, the oldest event first."""
        del location, deadline
        events = sorted(self.scc().held.values(), key=lambda one: one.at_ns)
        for one in events:
            active = one.state == "ACTIVE" and finding_of(one).mute != "MUTED"
            if active and one.organization == organization and one.at_ns >= since_ns:
                yield finding_of(one)

    def mark(self, finding: Finding, marks: Mapping[str, str], deadline: Deadline) -> None:
        """Set security marks on the finding."""
        del deadline
        key = (finding.name.source, finding.name.finding)
        self.scc().marks[key] = {**self.scc().marks.get(key, {}), **marks}

    def related(self, finding: Finding, target: Target, window_ns: int, seconds: float) -> RelatedFindings:
        """Other findings on the target that want an answer, newest first."""
        del seconds
        own, place = (finding.name.source, finding.name.finding), place_of(target)
        here = [one for key, one in self.scc().held.items() if key != own and one.place == place and one.wanted]
        newest = sorted(here, key=lambda one: -one.at_ns)
        others = [one for one in newest if abs(one.at_ns - finding.event_ns) <= window_ns and one.source != ALLOWED]
        allowed = tuple(finding_of(one) for one in newest if one.source == ALLOWED)
        return RelatedFindings(allowed, tuple(map(finding_of, others)))

    def threatens(
        self, target: Target, revision: str, name: FindingName, sources: frozenset[str], deadline: Deadline
    ) -> bool:
        """Whether one of these sources has a threat on that revision."""
        del name, deadline
        here = [one for one in self.scc().held.values() if one.place == place_of(target) and one.wanted]
        return any(one.source in sources and one.names == revision for one in here)
