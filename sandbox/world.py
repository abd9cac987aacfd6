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
    worker_pools:                         # beside: labels, service_account; instances is a fixed number, or auto
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
    admits_public_members: true           # false: an organization policy lets nobody add allUsers to a policy
    answers_by_number: false              # true: Cloud Run spells the project by its number, however it was asked
    keeps_scaling_limit: true             # false: the upper limit is lost on the way back from a fixed number
    lists_everywhere: true                # false: services and pools are not listed with locations/-
    stale_account_reads: 0                # how many reads of an account still show what was before a write
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import yaml
from google.cloud import run_v2

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
from sandbox.cloud_run.broken_deployment import BrokenDeployment, keep_unsettled
from sandbox.cloud_run.local_job import LocalExecution, LocalJob
from sandbox.cloud_run.local_operation import LocalResource
from sandbox.cloud_run.local_pool import LocalPool
from sandbox.cloud_run.local_service import LocalService, traffic_target
from sandbox.google.local_account import LocalAccount, account_from
from sandbox.inventory import Inventory
from sandbox.wire import Fault

_AGO = re.compile(r"-(\d+)(s|m|h|d)")
_PROJECT = frozenset({"number", "folders", "organization"})
_FAULT = frozenset(one.name for one in fields(Fault))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_KEYS = frozenset(
    "projects services worker_pools jobs service_accounts findings hashes latencies faults denied settle_seconds"
    " lists_everywhere stale_account_reads accepts_ingress_none keeps_scaling_limit create_topics logs buckets"
    " admits_public_members answers_by_number".split()
)
_PLAIN = (
    "settle_seconds accepts_ingress_none keeps_scaling_limit create_topics lists_everywhere stale_account_reads"
    " findings hashes latencies admits_public_members answers_by_number".split()
)


@dataclass
class World(Inventory):
    """An inventory that is made from words, and changed by people."""

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
        for one in given.get("service_accounts", ()):
            world.add_account(one)
        return world

    def moment(self, text: str | None) -> dt.datetime:
        """`-2h` before now, an RFC 3339 time, or now."""
        if text is None:
            return self.now()
        if ago := _AGO.fullmatch(str(text)):
            return self.now() - dt.timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        return dt.datetime.fromisoformat(str(text))

    def add_service(self, given: Mapping[str, Any]) -> LocalService:
        """Put a service that has long settled into the world."""
        name = self.canonical(str(given["name"]))
        revisions = [revision_from(name, one, self.moment) for one in given["revisions"]]
        local = LocalService(service_from({**given, "name": name}, self.moment), revisions, policy_from(given))
        self.services[name] = local
        self.stamp(local, local.service.update_time)
        local.settle()
        return local

    def add_pool(self, given: Mapping[str, Any]) -> LocalPool:
        """Put a worker pool that has long settled into the world."""
        name = self.canonical(str(given["name"]))
        revisions = [revision_from(name, one, self.moment) for one in given["revisions"]]
        local = LocalPool(pool_from({**given, "name": name}, self.moment), revisions)
        self.pools[name] = local
        self.stamp(local, local.pool.update_time)
        local.settle()
        return local

    def add_job(self, given: Mapping[str, Any]) -> LocalJob:
        """Put a job into the world, with what has run and what still runs of it."""
        name = self.canonical(str(given["name"]))
        local = self.jobs[name] = LocalJob(job_from({**given, "name": name}, self.moment), policy_from(given))
        for one in given.get("executions", ()):
            self.run_job(local, one)
        return local

    def add_account(self, given: Mapping[str, Any]) -> LocalAccount:
        """Put a service account into the world, in the place of one of the same address."""
        account = self.accounts[str(given["email"])] = account_from(given)
        return account

    def run_job(self, local: LocalJob, given: Mapping[str, Any]) -> LocalExecution:
        """Start an execution of the job, as somebody else would."""
        with self.lock:
            execution = LocalExecution(execution_from(local.job, given, self.moment))
            local.executions[str(given["name"])] = execution
            local.job.latest_created_execution = run_v2.ExecutionReference(name=str(given["name"]))
            self.stamp(execution)
            return execution

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

    def delete(self, name: str) -> None:
        """A person deletes what has this whole name; what is added under it afterwards is another one, by its uid.

        Raises KeyError where there is none, and ValueError for a revision that Cloud Run does not let go.
        """
        with self.lock:
            self.settle_operations()
            parent, _, revision = self.canonical(name).partition("/revisions/")
            collection, short = parent.split("/")[-2:]
            found: dict[str, dict[str, Any]] = {
                "services": self.services,
                "workerPools": self.pools,
                "jobs": self.jobs,
                "serviceAccounts": self.accounts,
            }
            if not revision:
                del found[collection][short if collection == "serviceAccounts" else parent]
                return
            local = found[collection][parent]
            if reason := local.why_kept(revision):
                raise ValueError(reason)
            names = [one.name.rpartition("/")[2] for one in local.revisions]
            del local.revisions[names.index(revision)]

    def set_grants(self, name: str, *bindings: Mapping[str, Any]) -> None:
        """A person sets the policy of a service or a job, by its whole name: `{role, members, condition}`."""
        with self.lock:
            kept = self.canonical(name)
            local = self.jobs[kept] if kept in self.jobs else self.services[kept]
            local.policy, local.policy_version = policy_from({"iam": bindings}), local.policy_version + 1

    def touch(self, local: LocalResource) -> None:
        """Finish an update by a person or a pipeline: new generation and etag, and it takes effect."""
        local.resource.last_modifier = "dev@shop.example"
        local.resource.generation += 1
        self.stamp(local)
        local.settle()
        keep_unsettled(self.broken, local)

    def deploy(self, name: str, revision: Mapping[str, Any]) -> None:
        """A person deploys: a new revision; LATEST moves to it if it is ready."""
        with self.lock:
            local = self.service(name)
            local.revisions.append(revision_from(local.service.name, revision, self.moment))
            self.edit(name)

    def deploy_pool(self, name: str, revision: Mapping[str, Any]) -> None:
        """A person deploys a worker pool, by its short name: a new revision; LATEST moves to it if it is ready."""
        with self.lock:
            local = next(one for key, one in self.pools.items() if key.endswith(f"/{name}"))
            local.revisions.append(revision_from(local.pool.name, revision, self.moment))
            self.edit_pool(name)

    def deploy_broken(self, name: str, revision: Mapping[str, Any], *, fails_operations: bool = True) -> None:
        """A person deploys what never becomes ready, of which every later write may complain: see BrokenDeployment."""
        with self.lock:
            self.broken[self.service(name).service.name] = BrokenDeployment(str(revision["name"]), fails_operations)
            self.deploy(name, {**revision, "ready": False})

    def set_traffic(self, name: str, *targets: Mapping[str, Any]) -> None:
        """A person sets the traffic: `{revision, percent, tag}` or `{latest: true, percent}`."""
        self.edit(name, traffic=[traffic_target(one) for one in targets])
