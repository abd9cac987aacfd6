"""For each kind of target a world in which every action has something to do, and what the laws look at there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.cloud_run.target import Kind
from sandbox.blueprint import account_of, instance_split
from sandbox.world import World
from tests.response.harness import BAD, GOOD, OLD, revision, world_of

WRITES: Mapping[str, str] = {
    "service": "google.cloud.run.v2.Services/UpdateService",
    "service_iam": "google.cloud.run.v2.Services/SetIamPolicy",
    "worker_pool": "google.cloud.run.v2.WorkerPools/UpdateWorkerPool",
    "executions": "google.cloud.run.v2.Executions/CancelExecution",
    "job_iam": "google.cloud.run.v2.Jobs/SetIamPolicy",
    "service_account": "google.iam.admin.v1.IAM/DisableServiceAccount",
}
"""The method that writes each surface; a new surface must be added here or its laws cannot run."""
WITH_OPERATIONS = frozenset({"service", "worker_pool", "executions"})
"""Surfaces whose writes start an operation, which may fail after it was accepted."""


@dataclass(frozen=True)
class Ground:
    """A kind's world, the target in it, what can be set there, and a person who sets it otherwise.

    `meddle` sets each setting that `by_hand` reads to a value that it has neither now nor in the world as it is made,
    so that an action may write any value. Where there are only two values it takes back what was written.
    """

    workload: str
    world: Callable[..., World]
    settings: Callable[[World], Any]
    meddle: Callable[[World], None]
    by_hand: Callable[[World], Mapping[str, Any]]
    scene: Mapping[str, Any] = field(default_factory=dict)


def _other(than: Any, *values: Any) -> Any:
    return next(value for value in values if value != than)


def _service_world(**more: Any) -> World:
    until = {"title": "until spring", "expression": 'request.time < timestamp("2027-03-01T00:00:00Z")'}
    return world_of(
        traffic=(
            {"latest": True, "percent": 100},
            {"revision": BAD, "tag": "canary"},
            {"revision": GOOD, "tag": "stable"},
        ),
        service={
            "invoker_iam_disabled": True,
            "scaling": {"min": 1, "max": 20},
            "public": False,
            "iam": [
                {"role": "roles/run.invoker", "members": ["allUsers", "user:ann@shop.example"]},
                {"role": "roles/run.invoker", "members": ["allUsers", "user:ben@shop.example"], "condition": until},
                {"role": "roles/run.viewer", "members": ["allUsers"]},
            ],
        },
        **more,
    )


def _service_settings(world: World) -> Any:
    one = world.service("checkout").service
    return (
        sorted(str(target) for target in one.traffic),
        one.ingress,
        one.default_uri_disabled,
        one.invoker_iam_disabled,
        str(one.scaling),
        grants(world.service("checkout").policy),
    )


def grants(policy: Any) -> set[tuple[str, str, str]]:
    """Role, condition and member of every grant in a policy."""
    return {
        (binding.role, binding.condition.expression, member)
        for binding in policy.bindings
        for member in binding.members
    }


def _meddle_with_service(world: World) -> None:
    now = _service_by_hand(world)
    count = _other(now["service.scaling"], 2, 4)
    world.edit(
        "checkout",
        ingress=_other(now["service.ingress"], 3, 2),
        scaling={"scaling_mode": 2, "manual_instance_count": count},
    )
    (revision_name,) = _other(now["service.traffic.split"], [OLD], [GOOD])
    world.set_traffic("checkout", {"revision": revision_name, "percent": 100})
    world.service("checkout").policy.bindings.add(role="roles/run.invoker", members=["user:eve@shop.example"])
    world.service("checkout").policy_version += 1


def _service_by_hand(world: World) -> Mapping[str, Any]:
    local = world.service("checkout")
    return {
        "service.ingress": int(local.service.ingress),
        "service.scaling": local.service.scaling.manual_instance_count,
        "service.traffic.split": [one.revision for one in local.service.traffic if one.percent],
        "service_iam of user:eve": ("roles/run.invoker", "", "user:eve@shop.example") in grants(local.policy),
    }


POOL = "projects/shop-prod/locations/europe-west1/workerPools/indexer"
POOL_REVISIONS = tuple(
    revision(f"indexer-0000{number}", number, age) for number, age in ((6, "-30d"), (7, "-10d"), (8, "-3h"))
)


def _pool_world(**more: Any) -> World:
    latest = {"latest": True, "percent": 100}
    pool = {"name": POOL, "instances": 3, "revisions": list(POOL_REVISIONS), "splits": [latest]}
    return world_of(worker_pools=[pool], **more)


def _pool(world: World) -> Any:
    world.settle_operations()
    return world.pools[POOL].pool


def _pool_settings(world: World) -> Any:
    one = _pool(world)
    return sorted(str(split) for split in one.instance_splits), one.scaling.manual_instance_count


def _meddle_with_pool(world: World) -> None:
    now = _pool_by_hand(world)
    (name,) = _other(now["worker_pool.split"], ["indexer-00006"], ["indexer-00007"])
    count = _other(now["worker_pool.instances"], 1, 2)
    splits = [instance_split({"revision": name, "percent": 100})]
    world.edit_pool("indexer", instance_splits=splits, scaling={"manual_instance_count": count})


def _pool_by_hand(world: World) -> Mapping[str, Any]:
    one = _pool(world)
    return {
        "worker_pool.split": [split.revision for split in one.instance_splits],
        "worker_pool.instances": one.scaling.manual_instance_count,
    }


JOB = "projects/shop-prod/locations/europe-west1/jobs/nightly"


def _job_world(**more: Any) -> World:
    until = {"title": "until spring", "expression": 'request.time < timestamp("2027-03-01T00:00:00Z")'}
    job = {
        "name": JOB,
        "iam": [
            {"role": "roles/run.invoker", "members": ["serviceAccount:cron@shop-prod.iam.gserviceaccount.com"]},
            {"role": "organizations/1/roles/own", "members": ["user:ben@shop.example"], "condition": until},
            {"role": "roles/run.viewer", "members": ["user:ann@shop.example"]},
        ],
        "executions": [
            {"name": "nightly-old", "image": 8, "created": "-2d", "ended": "-47h"},
            {"name": "nightly-bad", "image": 8, "created": "-1h", "tasks": 2},
            {"name": "nightly-two", "image": 8, "created": "-30m"},
            {"name": "nightly-other", "image": 7, "created": "-20m"},
        ],
    }
    return world_of(jobs=[job], **more)


def _job_settings(world: World) -> Any:
    world.settle_operations()
    local = world.jobs[JOB]
    running = {name for name, one in local.executions.items() if one.execution.running_count}
    return sorted(running), grants(local.policy)


def _meddle_with_job(world: World) -> None:
    local = world.jobs[JOB]
    local.policy.bindings.add(role="roles/run.jobsExecutor", members=["user:eve@shop.example"])
    local.policy_version += 1
    world.run_job(local, {"name": "nightly-new", "image": 7})


def _job_by_hand(world: World) -> Mapping[str, Any]:
    running, granted = _job_settings(world)
    return {
        "executions.nightly-new": "nightly-new" in running,
        "job_iam of user:eve": ("roles/run.jobsExecutor", "", "user:eve@shop.example") in granted,
    }


def disabled(world: World) -> dict[str, bool]:
    """Every service account, and whether it is disabled."""
    return {email: one.account.disabled for email, one in world.accounts.items()}


def _meddle_with_accounts(world: World) -> None:
    """A person needs them; one who disables them meanwhile keeps Cloud Run from taking any update."""
    for one in world.accounts.values():
        one.set(disabled=False)


def _accounts_by_hand(world: World) -> Mapping[str, Any]:
    return {f"service_account.{email}": "disabled" if off else "enabled" for email, off in disabled(world).items()}


def _ground(
    workload: str,
    world: Callable[..., World],
    settings: Callable[[World], Any],
    meddle: Callable[[World], None],
    by_hand: Callable[[World], Mapping[str, Any]],
) -> Ground:
    """The same with the account that the workload runs as, which has settings of its own."""
    email = account_of(workload)

    def both(on: World) -> None:
        meddle(on)
        _meddle_with_accounts(on)

    return Ground(
        workload,
        lambda **more: world(service_accounts=[{"email": email}], **more),
        lambda on: (settings(on), disabled(on)),
        both,
        lambda on: {**by_hand(on), **_accounts_by_hand(on)},
    )


GROUNDS: Mapping[Kind, Ground] = {
    "service": _ground("services/checkout", _service_world, _service_settings, _meddle_with_service, _service_by_hand),
    "worker_pool": _ground("workerPools/indexer", _pool_world, _pool_settings, _meddle_with_pool, _pool_by_hand),
    "job": _ground("jobs/nightly", _job_world, _job_settings, _meddle_with_job, _job_by_hand),
    # No finding names an account: it is reached through what runs as it.
    "service_account": _ground("services/checkout", _service_world, lambda _: None, lambda _: None, lambda _: {}),
}
