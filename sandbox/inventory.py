"""All that a sandbox holds of Google's cloud, how it is found, and how what is written to it takes effect."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from google.rpc import status_pb2

from sandbox.cloud_run.broken_deployment import BrokenDeployment, complaint, keep_unsettled
from sandbox.cloud_run.local_job import LocalJob
from sandbox.cloud_run.local_operation import LocalOperation, LocalResource
from sandbox.cloud_run.local_pool import LocalPool
from sandbox.cloud_run.local_service import LocalService
from sandbox.google.local_account import LocalAccount
from sandbox.wire import Fault


@dataclass
class Inventory:
    """All state of a sandbox, under one lock. Names may spell a project by id or by number.

    Attributes:
        settle_seconds: how long an operation takes.
        accepts_ingress_none: whether Cloud Run accepts INGRESS_TRAFFIC_NONE.
        keeps_scaling_limit: whether a service that returns to automatic scaling keeps its upper limit.
        admits_public_members: whether the organization lets allUsers and allAuthenticatedUsers be added to a policy.
        answers_by_number: whether Cloud Run spells the project by its number, however it was asked.
        create_topics: whether publishing to a missing topic creates it.
        lists_everywhere: whether lists accept `-` for all regions.
        stale_account_reads: how many reads of a service account still show it as it was before a write.
        projects: project id to number.
        services: resource name to service.
        pools: resource name to worker pool.
        jobs: resource name to job.
        accounts: email address to service account.
        operations: name to long-running operation.
        findings: SCC's findings, each with its resource, in SCC's JSON.
        hashes: SHA-256 to VirusTotal's answer.
        logs: log entries in Cloud Logging's JSON.
        topics: topic to the messages that were published to it.
        buckets: bucket to its objects, name to bytes.
        resources: full resource name to what Google's administrative APIs show of it, in their JSON.
        bindings: full resource name to the bindings of its IAM policy.
        figures: metric to its newest point, by the subscription that it is of, or "".
        denied: permissions that the caller lacks.
        latencies: glob on `package.Service/Method` to a delay in seconds.
        faults: faults that were planted from the start.
        failing_operations: errors that the next operations end in, and whether what was written serves all the same.
        broken: resource name to a deployment that never becomes ready.
        lock: taken by everything that reads or changes the state.
    """

    settle_seconds: float = 0.0
    accepts_ingress_none: bool = True
    keeps_scaling_limit: bool = True
    admits_public_members: bool = True
    answers_by_number: bool = False
    create_topics: bool = True
    lists_everywhere: bool = True
    stale_account_reads: int = 0
    projects: dict[str, str] = field(default_factory=dict)
    services: dict[str, LocalService] = field(default_factory=dict)
    pools: dict[str, LocalPool] = field(default_factory=dict)
    jobs: dict[str, LocalJob] = field(default_factory=dict)
    accounts: dict[str, LocalAccount] = field(default_factory=dict)
    operations: dict[str, LocalOperation] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    hashes: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    topics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    bindings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    figures: dict[str, dict[str, int]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    latencies: dict[str, float] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    failing_operations: list[tuple[status_pb2.Status, bool]] = field(default_factory=list)
    broken: dict[str, BrokenDeployment] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def now(self) -> dt.datetime:
        """The world's time, aware."""
        return dt.datetime.now(dt.UTC)

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

    def stamp(self, local: LocalResource, moment: Any = None) -> None:  # noqa: ANN401 - proto-plus time
        """A new etag and update time, as every write makes them."""
        local.resource.update_time = moment or self.now()
        local.resource.etag = f'"{uuid.uuid4().hex[:12]}"'

    def begin(self, name: str, local: LocalResource) -> LocalOperation:
        """Start an operation on a resource that was just written."""
        parts = self.canonical(name).split("/")
        local.resource.generation += 1
        failure, serves = self.failing_operations.pop(0) if self.failing_operations else (local.fault(), False)
        if failure is None and (about := complaint(self.broken, local)):
            failure, serves = about, True
        operation = LocalOperation(
            f"projects/{parts[1]}/locations/{parts[3]}/operations/{uuid.uuid4()}",
            local,
            local.resource.generation,
            time.monotonic() + self.settle_seconds,
            failure,
            serves,
        )
        local.resource.reconciling = True
        self.operations[operation.name] = operation
        self.settle_operations()
        return operation

    def settle_operations(self) -> None:
        """Apply operations that have ended: effective traffic moves only now, and not if the operation failed."""
        for operation in self.operations.values():
            if operation.done or operation.ends_at > time.monotonic():
                continue
            operation.end()
            keep_unsettled(self.broken, operation.local)

    def fail_next_operation(
        self, code: int = 13, message: str = "Internal error encountered.", *, serves: bool = False
    ) -> None:
        """The next write is accepted, and its operation ends in this error.

        With `serves` what was written serves all the same, as where the newest deployment is broken: then `message`
        names that revision.
        """
        self.failing_operations.append((status_pb2.Status(code=code, message=message), serves))
