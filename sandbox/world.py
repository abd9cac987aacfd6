"""A sandbox's world: projects, services with their revisions, policies, operations, findings, hashes, topics.

A world may be written as YAML; times are RFC 3339 or relative to now (`-2h`, `-30d`):

    projects: {shop-prod: {number: "345678901234"}}
    services:
      - name: projects/shop-prod/locations/europe-west1/services/checkout
        updated: -3h
        public: true                      # allUsers may invoke; or iam: [{role: …, members: […]}]
        ingress: all                      # all | internal | internal-and-cloud-load-balancing | none
        revisions:                        # oldest first
          - {name: checkout-00001-abc, image: 1, created: -20d, ready: true, generation: gen2}
        traffic: [{latest: true, percent: 100}, {revision: checkout-00001-abc, tag: canary}]
    settle_seconds: 0.2                   # how long an operation takes; effective traffic lags until then
    hashes: {<sha256>: {malicious: 48}}
    logs: [{of: projects/shop-prod/locations/…/services/checkout, at: -90s, severity: ERROR, text: …}]
    latencies: {"*/GetService": 0.02}
    denied: ["*/UpdateService"]
    accepts_ingress_none: true
"""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import yaml
from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from google.longrunning import operations_pb2
from google.rpc import status_pb2

from sandbox.blueprint import check_keys, log_entry_from, policy_from, revision_from, service_from
from sandbox.wire import Fault

_AGO = re.compile(r"-(\d+)(s|m|h|d)")
_PROJECT = frozenset({"number", "folders", "organization"})
_FAULT = frozenset(one.name for one in fields(Fault))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_KEYS = frozenset(
    "projects services findings hashes latencies faults denied settle_seconds accepts_ingress_none"
    " create_topics logs".split()
)
_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors as they are, which settings that were only wished for have not moved."""

    ingress: int = 1
    default_uri_disabled: bool = False
    invoker_iam_disabled: bool = False


@dataclass
class LocalService:
    """A service with its revisions (oldest first) and policy."""

    service: run_v2.Service
    revisions: list[run_v2.Revision]
    policy: policy_pb2.Policy
    policy_version: int = 1
    effective: Doors = field(default_factory=Doors)


@dataclass
class LocalOperation:
    """An operation that ends at a moment of the monotonic clock; `fails_with` is its error, if it has one."""

    name: str
    service: str
    generation: int
    ends_at: float
    fails_with: status_pb2.Status | None = None
    done: bool = False


@dataclass
class World:
    """All state of a sandbox, under one lock. Names may spell a project by id or by number."""

    settle_seconds: float = 0.0
    accepts_ingress_none: bool = True
    create_topics: bool = True
    projects: dict[str, str] = field(default_factory=dict)
    services: dict[str, LocalService] = field(default_factory=dict)
    operations: dict[str, LocalOperation] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    hashes: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    topics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    latencies: dict[str, float] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    failing_operations: list[status_pb2.Status] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def load(cls, source: Path | str | Mapping[str, Any]) -> Self:
        """A world from a YAML file or a mapping; raises ValueError naming a key that it does not know."""
        given = source if isinstance(source, Mapping) else yaml.safe_load(Path(source).read_text())
        check_keys(given, _KEYS, "world")
        plain = ("settle_seconds", "accepts_ingress_none", "create_topics", "findings", "hashes", "latencies")
        world = cls(**{key: given[key] for key in plain if key in given})
        world.denied = set(given.get("denied", ()))
        for one in given.get("faults", ()):
            check_keys(one, _FAULT, "fault")
        world.faults = tuple(Fault(**one) for one in given.get("faults", ()))
        for one in given.get("projects", {}).values():
            check_keys(one, _PROJECT, "project")
        world.projects = {name: str(one.get("number", "")) for name, one in given.get("projects", {}).items()}
        world.logs = [log_entry_from(one, world.moment) for one in given.get("logs", ())]
        for one in given.get("services", ()):
            world.add_service(one)
        return world

    def now(self) -> dt.datetime:
        """The world's time, aware."""
        return dt.datetime.now(dt.UTC)

    def moment(self, text: str | None) -> dt.datetime:
        """`-2h` before now, an RFC 3339 time, or now."""
        if text is None:
            return self.now()
        if ago := _AGO.fullmatch(str(text)):
            return self.now() - dt.timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        return dt.datetime.fromisoformat(str(text))

    def add_service(self, given: Mapping[str, Any]) -> LocalService:
        """Put a service that has long settled into the world."""
        service, revisions = (
            service_from(given, self.moment),
            [revision_from(str(given["name"]), one, self.moment) for one in given["revisions"]],
        )
        local = LocalService(service, revisions, policy_from(given))
        self.services[self.canonical(str(given["name"]))] = local
        self.stamp(local, local.service.update_time)
        settle(local)
        return local

    def canonical(self, name: str) -> str:
        """The name with its project by id."""
        parts = name.split("/")
        ids = {number: project for project, number in self.projects.items()}
        if len(parts) > 1 and parts[1] in ids:
            parts[1] = ids[parts[1]]
        return "/".join(parts)

    def find(self, name: str) -> LocalService | None:
        """The service of that name, with every operation that is over by now applied."""
        self.settle_operations()
        return self.services.get(self.canonical(name))

    def service(self, name: str) -> LocalService:
        """The service whose short or whole name this is; for tests, which know that it exists."""
        self.settle_operations()
        return next(
            one for key, one in self.services.items() if key in (name, self.canonical(name)) or key.endswith(f"/{name}")
        )

    def stamp(self, local: LocalService, moment: Any = None) -> None:  # noqa: ANN401 - proto-plus time
        """A new etag and update time, as every write makes them."""
        local.service.update_time = moment or self.now()  # type: ignore[assignment]  # proto-plus takes a datetime
        local.service.etag = f'"{uuid.uuid4().hex[:12]}"'

    def begin(self, name: str, local: LocalService) -> LocalOperation:
        """Start an operation on a service that was just written."""
        parts = self.canonical(name).split("/")
        local.service.generation += 1
        operation = LocalOperation(
            f"projects/{parts[1]}/locations/{parts[3]}/operations/{uuid.uuid4()}",
            self.canonical(name),
            local.service.generation,
            time.monotonic() + self.settle_seconds,
            self.failing_operations.pop(0) if self.failing_operations else missing_revision(local),
        )
        local.service.reconciling = True
        self.operations[operation.name] = operation
        self.settle_operations()
        return operation

    def settle_operations(self) -> None:
        """Apply what is over: effective traffic moves only now, and not at all where the operation failed."""
        for operation in self.operations.values():
            if operation.done or operation.ends_at > time.monotonic():
                continue
            operation.done = True
            local = self.services.get(operation.service)
            # A later write took this one's place: what is wished for now comes with that one's operation.
            if local is None or operation.generation != local.service.generation:
                continue
            if operation.fails_with is None:
                settle(local)
            else:
                local.service.reconciling = False
                local.service.observed_generation = local.service.generation

    def answer(self, operation: LocalOperation) -> operations_pb2.Operation:
        """The operation as Google's long-running API shows it."""
        found = operations_pb2.Operation(name=operation.name, done=operation.done)
        local = self.services.get(operation.service)
        if local is not None:
            found.metadata.Pack(run_v2.Service.pb(local.service))
        if operation.done and operation.fails_with is not None:
            found.error.CopyFrom(operation.fails_with)
        elif operation.done and local is not None:
            found.response.Pack(run_v2.Service.pb(local.service))
        return found

    def fail_next_operation(self, code: int = 13, message: str = "Internal error encountered.") -> None:
        """The next write is accepted, and its operation ends in this error."""
        self.failing_operations.append(status_pb2.Status(code=code, message=message))

    def edit(self, name: str, **fields: object) -> None:
        """A person's or a pipeline's own update of service fields, which takes effect at once."""
        with self.lock:
            local = self.service(name)
            for key, value in fields.items():
                setattr(local.service, key, value)
            local.service.last_modifier = "dev@shop.example"
            local.service.generation += 1
            self.stamp(local)
            settle(local)

    def deploy(self, name: str, revision: Mapping[str, Any]) -> None:
        """A person deploys: a new revision; LATEST moves to it if it is ready."""
        with self.lock:
            local = self.service(name)
            local.revisions.append(revision_from(local.service.name, revision, self.moment))
            self.edit(name)

    def set_traffic(self, name: str, *targets: Mapping[str, Any]) -> None:
        """A person sets the traffic: `{revision, percent, tag}` or `{latest: true, percent}`."""
        self.edit(name, traffic=[traffic_target(one) for one in targets])


def traffic_target(given: Mapping[str, Any]) -> run_v2.TrafficTarget:
    """A traffic target from a world's words."""
    latest = bool(given.get("latest"))
    return run_v2.TrafficTarget(
        type_=_LATEST if latest else _REVISION,
        revision="" if latest else given["revision"],
        percent=given.get("percent", 0),
        tag=given.get("tag", ""),
    )


def settle(local: LocalService) -> None:
    """Make the settings effective: LATEST is the newest ready revision, and statuses follow the wish."""
    ready = [one for one in local.revisions if is_ready(one)]
    service = local.service
    service.latest_ready_revision = ready[-1].name if ready else ""
    service.latest_created_revision = local.revisions[-1].name
    service.reconciling = False
    service.observed_generation = service.generation
    # UNSPECIFIED is the default, which is all.
    local.effective = Doors(int(service.ingress) or 1, service.default_uri_disabled, service.invoker_iam_disabled)
    latest = service.latest_ready_revision.rpartition("/")[2]
    service.traffic_statuses = [
        run_v2.TrafficTargetStatus(
            type_=one.type_,
            revision=latest if one.type_ == _LATEST else one.revision,
            percent=one.percent,
            tag=one.tag,
            uri=f"https://{one.tag}---{service.name.rpartition('/')[2]}.run.test" if one.tag else "",
        )
        for one in service.traffic
    ]


def is_ready(revision: run_v2.Revision) -> bool:
    """Whether its Ready condition holds."""
    return any(
        one.type_ == "Ready" and one.state == run_v2.Condition.State.CONDITION_SUCCEEDED for one in revision.conditions
    )


def missing_revision(local: LocalService) -> status_pb2.Status | None:
    """The error an operation ends in when the traffic names a revision that does not exist."""
    known = {one.name.rpartition("/")[2] for one in local.revisions}
    for one in local.service.traffic:
        if one.type_ != _LATEST and one.revision not in known:
            text = f"Revision '{one.revision}' does not exist or is deleted. Update all traffic to route to currently "
            return status_pb2.Status(code=13, message=text + "available revisions.")
    return None
