"""The same histories over the wire: the sandbox's services behind the real clients, on the clock of the model."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from firebreak.adapters.cloud_run.jobs import job_of
from firebreak.adapters.cloud_run.pools import pool_of
from firebreak.adapters.cloud_run.reading import workload_of
from firebreak.core.cloud_run.setting_names import (
    ACCOUNT,
    DEFAULT_URI_DISABLED,
    DISABLED,
    ENABLED,
    EXECUTION,
    INGRESS,
    LATEST,
    RUNNING,
    TAG,
)
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.response.app import App
from sandbox.google.local_account import account_from
from sandbox.scc.finding_store import put_finding
from sandbox.world import World
from tests.model.clock import Clock
from tests.model.cloud import NUMBERS, Cloud, Ending, Resource, split_of, target_at
from tests.model.ground import Log
from tests.model.people import PUBLIC
from tests.model.scc import Event, Scc, pair_of
from tests.model.scenery import set_up
from tests.response.harness import TOPIC, Line

_KINDS = {"service": "services", "worker_pool": "workerPools", "job": "jobs"}
_INGRESS = ("all", "internal", "internal-and-cloud-load-balancing", "none")


class WorldOnClock(World):
    """The sandbox's world, whose time is the history's."""

    clock: Clock

    def now(self) -> dt.datetime:
        """The history's time."""
        return moment(self.clock.now_ns)


def moment(at_ns: int) -> dt.datetime:
    """The time as Google's clients have it, to the microsecond."""
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=at_ns // 1000)


def empty_world(clock: Clock) -> WorldOnClock:
    """A world on that clock, with nothing in it."""
    world = WorldOnClock.load({"projects": {name: {"number": number} for name, number in NUMBERS.items()}})
    world.clock = clock
    return world


class SandboxGround:
    """A line over a sandbox whose world is on the clock."""

    def __init__(self, line: Line, clock: Clock) -> None:
        self.line, self.clock, self.scc = line, clock, Scc()
        self.cloud = Cloud(clock)
        set_up(self.cloud)
        for place, resource in self.cloud.resources.items():
            self.put(place, resource)

    @property
    def world(self) -> World:
        return self.line.world

    def app(self, log: Log) -> App:
        app = self.line.app
        now_ns = self.now_ns
        return replace(app, log=log, now_ns=now_ns, ledger=replace(app.ledger, now_ns=now_ns))

    def now_ns(self) -> int:
        return self.clock.now_ns

    def spend(self, seconds: float) -> None:
        self.clock.pass_by(seconds)

    def new_uid(self) -> str:
        return self.cloud.new_uid()

    def look(self, place: str) -> Resource | None:
        """The resource as the sandbox has it, read without a call."""
        known = self.cloud.resources.get(place)
        workload = self._workload(place)
        if known is None or workload is None:
            return None
        return replace(
            known,
            settings=dict(workload.state),
            revisions=workload.revisions,
            effective={name: percent for name, percent in workload.effective.items() if percent},
            tags=dict(workload.effective_tags),
            labels=dict(workload.labels),
            reconciling=not workload.settled,
        )

    def resources(self) -> Mapping[str, Resource]:
        looks = {place: self.look(place) for place in self.cloud.resources}
        return {place: one for place, one in looks.items() if one is not None}

    def _workload(self, place: str) -> Workload | None:
        target, name, world = target_at(place), _name_of(place), self.world
        world.settle_operations()
        if target.kind == "service" and (service := world.services.get(name)):
            return workload_of(target, service.service, service.revisions, service.policy)
        if target.kind == "worker_pool" and (pool := world.pools.get(name)):
            return pool_of(target, pool.pool, pool.revisions)
        if target.kind == "job" and (job := world.jobs.get(name)):
            return job_of(target, job.job, [one.execution for one in job.executions.values()], job.policy)
        account = world.accounts.get(target.name)
        if account is None:
            return None
        word = DISABLED if account.account.disabled else ENABLED
        return Workload(target, {f"{ACCOUNT}{target.name}": word}, {}, (), None, {}, {}, settled=True)

    def put(self, place: str, resource: Resource | None) -> None:
        """The resource as a person has made it, in the place of the one there."""
        with self.world.lock:
            self._remove(place)
            if resource is None:
                self.cloud.resources.pop(place, None)
                return
            self.cloud.put(resource)
            {"service": self._service, "worker_pool": self._pool, "job": self._job, "service_account": self._account}[
                resource.target.kind
            ](resource)

    def _remove(self, place: str) -> None:
        kept: dict[str, Any]
        for kept in (self.world.services, self.world.pools, self.world.jobs):
            kept.pop(_name_of(place), None)
        self.world.accounts.pop(place.rpartition("/")[2], None)

    def _service(self, resource: Resource) -> None:
        settings = resource.settings
        tags = {key.removeprefix(TAG): str(value) for key, value in settings.items() if key.startswith(TAG)}
        traffic = [{**_entry(name), "percent": percent} for name, percent in split_of(settings).items()]
        traffic += [{**_entry(name), "tag": tag} for tag, name in tags.items()]
        local = self.world.add_service(
            {
                **_common(resource),
                "public": PUBLIC in settings,
                "ingress": settings[INGRESS] if settings[INGRESS] in _INGRESS else "all",
                "default_uri_disabled": settings[DEFAULT_URI_DISABLED],
                "traffic": traffic,
                "revisions": [_revision(one) for one in resource.revisions],
                "regions": list(resource.regions),
            }
        )
        local.service.uid, local.policy_version = resource.uid, resource.etags["service_iam"]
        local.service.generation = local.service.observed_generation = resource.generation

    def _pool(self, resource: Resource) -> None:
        splits = [{**_entry(name), "percent": percent} for name, percent in split_of(resource.settings).items()]
        revisions = [_revision(one) for one in resource.revisions]
        local = self.world.add_pool({**_common(resource), "splits": splits, "revisions": revisions})
        local.pool.uid = resource.uid

    def _job(self, resource: Resource) -> None:
        runs = [
            {"name": one.name, "image": _image(one), "created": _text(one.created_ns)}
            | ({} if resource.settings.get(f"{EXECUTION}{one.name}") == RUNNING else {"ended": _text(self.now_ns())})
            for one in resource.revisions
        ]
        grants = [key.partition(".")[2].split("|") for key in resource.settings if key.startswith("job_iam.")]
        iam = [{"role": role, "members": [member]} for role, _, member in grants]
        local = self.world.add_job({**_common(resource), "iam": iam, "executions": runs})
        local.job.uid, local.policy_version = resource.uid, resource.etags["job_iam"]

    def _account(self, resource: Resource) -> None:
        email = resource.target.name
        disabled = resource.settings[f"{ACCOUNT}{email}"] == DISABLED
        number = 10**20 + int(resource.uid.rpartition("-")[2])
        given = {"email": email, "disabled": disabled, "unique_id": str(number)}
        self.world.accounts[email] = account_from(given)

    def hold(self, event: Event) -> None:
        self.scc.hold(event, self.now_ns())
        pair = pair_of(event)
        put_finding(self.world, pair["finding"], pair["resource"])

    def faults(self) -> list[BaseException]:
        return self.clock.faults

    def told(self) -> list[tuple[str, str]]:
        bodies = [json.loads(message["data"]) for message in self.world.topics.get(TOPIC, [])]
        return [(str(one["id"]), str(one["phase"])) for one in bodies]

    def finish_operations(self) -> None:
        """They are over as soon as they have begun."""

    def next_operation(self, ending: Ending, seconds: float) -> None:
        """Only an ending in an error is planted; none takes long."""
        del seconds
        if ending == "in an error":
            self.world.fail_next_operation()

    def take_less(self, what: str) -> None:
        self.world.accepts_ingress_none = self.world.accepts_ingress_none and what != "ingress none"

    def tamper(self, how: str, place: tuple[str, str], which: int) -> bool:
        """Nobody tampers here: the store is one of the real ones."""
        del how, place, which
        return False

    def records(self) -> tuple[tuple[str, str], ...]:
        return ()

    def remember(self) -> None:
        return

    def save(self) -> Any:
        raise NotImplementedError

    def restore(self, saved: Any) -> None:
        raise NotImplementedError


def _name_of(place: str) -> str:
    project, location, kind, name = place.split("/")
    return f"projects/{project}/locations/{location}/{_KINDS.get(kind, kind)}/{name}"


def _common(resource: Resource) -> dict[str, Any]:
    return {
        "name": _name_of(resource.place),
        "created": _text(resource.created_ns),
        "updated": _text(resource.updated_ns),
        "labels": dict(resource.labels),
        "service_account": resource.account,
        "last_modifier": resource.modifier,
    }


def _entry(name: str) -> dict[str, Any]:
    return {"latest": True} if name == LATEST else {"revision": name}


def _revision(one: Revision) -> dict[str, Any]:
    return {
        "name": one.name,
        "image": _image(one),
        "created": _text(one.created_ns),
        "ready": one.fault is None,
        "service_account": one.service_account,
    }


def _image(one: Revision) -> int:
    return int(min(one.digests).removeprefix("sha256:"))


def _text(at_ns: int) -> str:
    return moment(at_ns).isoformat()
