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
    worker_pools:                         # beside: labels, service_account; instances is a fixed number
      - name: projects/shop-prod/locations/europe-west1/workerPools/indexer
        instances: 3
        revisions: [{name: indexer-00001-abc, image: 1, created: -20d}]
        splits: [{latest: true, percent: 100}]
    jobs:                                 # beside: labels, service_account, public or iam
      - name: projects/shop-prod/locations/europe-west1/jobs/nightly
        executions: [{name: nightly-abc, image: 1, created: -1h, tasks: 2}, {name: nightly-xyz, ended: -1d}]
    service_accounts: [{email: pay@shop-prod.iam.gserviceaccount.com, disabled: true}]
    settle_seconds: 0.2                   # how long an operation takes; effective traffic lags until then
    hashes: {<sha256>: {malicious: 48}}
    logs: [{of: projects/shop-prod/locations/…/services/checkout, at: -90s, severity: ERROR, text: …}]
    latencies: {"*/GetService": 0.02}
    denied: ["*/UpdateService"]
    accepts_ingress_none: true
    keeps_scaling_limit: true             # false: the upper limit is lost on the way back from a fixed number
    lists_everywhere: true                # false: services and pools are not listed with locations/-
    stale_account_reads: 0                # how many reads of an account still show what was before a write
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
from google.rpc import status_pb2

from sandbox.blueprint import (
    check_keys,
    execution_from,
    job_from,
    log_entry_from,
    policy_from,
    pool_from,
    revision_from,
    service_from,
)
from sandbox.cloud_run.broken_deployment import BrokenDeployment, complaint, settle
from sandbox.cloud_run.local_job import LocalExecution, LocalJob
from sandbox.cloud_run.local_operation import LocalOperation, LocalResource, begun
from sandbox.cloud_run.local_pool import LocalPool
from sandbox.cloud_run.local_service import LocalService, traffic_target
from sandbox.google.local_account import LocalAccount, account_from
from sandbox.wire import Fault

_AGO = re.compile(r"-(\d+)(s|m|h|d)")
_PROJECT = frozenset({"number", "folders", "organization"})
_FAULT = frozenset(one.name for one in fields(Fault))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_KEYS = frozenset(
    "projects services worker_pools jobs service_accounts findings hashes latencies faults denied settle_seconds"
    " lists_everywhere stale_account_reads accepts_ingress_none keeps_scaling_limit create_topics logs buckets".split()
)
_PLAIN = (
    "settle_seconds accepts_ingress_none keeps_scaling_limit create_topics lists_everywhere stale_account_reads"
    " findings hashes latencies".split()
)


@dataclass
class World:
    """All state of a sandbox, under one lock. Names may spell a project by id or by number.

    Attributes:
        settle_seconds: how long an operation takes.
        accepts_ingress_none: whether Cloud Run accepts INGRESS_TRAFFIC_NONE.
        keeps_scaling_limit: whether a service that returns to automatic scaling keeps its upper limit.
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
        denied: permissions that the caller lacks.
        latencies: glob on `package.Service/Method` to a delay in seconds.
        faults: faults that were planted from the start.
        failing_operations: errors that the next operations end in, first come first served.
        broken: resource name to a deployment that never becomes ready.
        lock: taken by everything that reads or changes the state.
    """

    settle_seconds: float = 0.0
    accepts_ingress_none: bool = True
    keeps_scaling_limit: bool = True
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
    denied: set[str] = field(default_factory=set)
    latencies: dict[str, float] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    failing_operations: list[status_pb2.Status] = field(default_factory=list)
    broken: dict[str, BrokenDeployment] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def load(cls, source: Path | str | Mapping[str, Any]) -> Self:
        """A world from a YAML file or a mapping; raises ValueError naming a key that it does not know."""
        given = source if isinstance(source, Mapping) else yaml.safe_load(Path(source).read_text())
        check_keys(given, _KEYS, "world")
        world = cls(**{key: given[key] for key in _PLAIN if key in given})
        world.denied = set(given.get("denied", ()))
        for one in given.get("faults", ()):
            check_keys(one, _FAULT, "fault")
        world.faults = tuple(Fault(**one) for one in given.get("faults", ()))
        for one in given.get("projects", {}).values():
            check_keys(one, _PROJECT, "project")
        world.projects = {name: str(one.get("number", "")) for name, one in given.get("projects", {}).items()}
        world.buckets = {name: {} for name in given.get("buckets", ())}
        world.logs = [log_entry_from(one, world.moment) for one in given.get("logs", ())]
        for one in given.get("services", ()):
            world.add_service(one)
        for one in given.get("worker_pools", ()):
            world.add_pool(one)
        for one in given.get("jobs", ()):
            world.add_job(one)
        world.accounts = {str(one["email"]): account_from(one) for one in given.get("service_accounts", ())}
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
        revisions = [revision_from(str(given["name"]), one, self.moment) for one in given["revisions"]]
        local = LocalService(service_from(given, self.moment), revisions, policy_from(given))
        self.services[self.canonical(str(given["name"]))] = local
        self.stamp(local, local.service.update_time)
        local.settle()
        return local

    def add_pool(self, given: Mapping[str, Any]) -> LocalPool:
        """Put a worker pool that has long settled into the world."""
        name = str(given["name"])
        revisions = [revision_from(name, one, self.moment) for one in given["revisions"]]
        local = LocalPool(pool_from(given, self.moment), revisions)
        self.pools[self.canonical(name)] = local
        self.stamp(local, local.pool.update_time)
        local.settle()
        return local

    def add_job(self, given: Mapping[str, Any]) -> LocalJob:
        """Put a job into the world, with what has run and what still runs of it."""
        local = LocalJob(job_from(given, self.moment), policy_from(given))
        self.jobs[self.canonical(str(given["name"]))] = local
        for one in given.get("executions", ()):
            self.run_job(local, one)
        return local

    def run_job(self, local: LocalJob, given: Mapping[str, Any]) -> LocalExecution:
        """Start an execution of the job, as somebody else would."""
        with self.lock:
            execution = LocalExecution(execution_from(local.job, given, self.moment))
            local.executions[str(given["name"])] = execution
            self.stamp(execution)
            return execution

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
        where = "/".join(self.canonical(name).split("/")[:4])
        local.resource.generation += 1
        fault = self.failing_operations.pop(0) if self.failing_operations else local.fault()
        operation = begun(where, local, self.settle_seconds, fault, complaint(self.broken, local))
        self.operations[operation.name] = operation
        self.settle_operations()
        return operation

    def settle_operations(self) -> None:
        """Apply operations that have ended: effective traffic moves only now, and not if the operation failed."""
        for operation in self.operations.values():
            if operation.done or operation.ends_at > time.monotonic():
                continue
            operation.done = True
            resource = operation.local.resource
            # A later write took this one's place: what is wished for now comes with that one's operation.
            if operation.generation != resource.generation:
                continue
            if operation.fails_with is None or operation.takes_effect:
                settle(self.broken, operation.local)
            else:
                operation.local.give_up()

    def fail_next_operation(self, code: int = 13, message: str = "Internal error encountered.") -> None:
        """The next write is accepted, and its operation ends in this error."""
        self.failing_operations.append(status_pb2.Status(code=code, message=message))

    def edit(self, name: str, **fields: object) -> None:
        """A person's or a pipeline's own update of service fields, which takes effect at once."""
        with self.lock:
            local = self.service(name)
            for key, value in fields.items():
                setattr(local.service, key, value)
            self.touch(local)

    def edit_pool(self, name: str, **fields: object) -> None:
        """Update fields of a worker pool, by its short name, as a person would; it takes effect at once."""
        with self.lock:
            self.settle_operations()
            local = next(one for key, one in self.pools.items() if key.endswith(f"/{name}"))
            for key, value in fields.items():
                setattr(local.pool, key, value)
            self.touch(local)

    def touch(self, local: LocalResource) -> None:
        """Finish an update by a person or a pipeline: new generation and etag, and it takes effect."""
        local.resource.last_modifier = "dev@shop.example"
        local.resource.generation += 1
        self.stamp(local)
        settle(self.broken, local)

    def deploy(self, name: str, revision: Mapping[str, Any]) -> None:
        """A person deploys: a new revision; LATEST moves to it if it is ready."""
        with self.lock:
            local = self.service(name)
            local.revisions.append(revision_from(local.service.name, revision, self.moment))
            self.edit(name)

    def deploy_broken(self, name: str, revision: Mapping[str, Any], *, fails_operations: bool = True) -> None:
        """A person deploys what never becomes ready, of which every later write may complain: see BrokenDeployment."""
        with self.lock:
            self.broken[self.service(name).service.name] = BrokenDeployment(str(revision["name"]), fails_operations)
            self.deploy(name, {**revision, "ready": False})

    def set_traffic(self, name: str, *targets: Mapping[str, Any]) -> None:
        """A person sets the traffic: `{revision, percent, tag}` or `{latest: true, percent}`."""
        self.edit(name, traffic=[traffic_target(one) for one in targets])
