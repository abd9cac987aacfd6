"""The sandbox's worker pools and jobs are as strict as Google's, told through Google's own clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport

from sandbox.server import Sandbox
from tests.laws.grounds import GROUNDS, JOB, POOL

Split = dict[str, Any]
LATEST, REVISION = 1, 2


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    world = GROUNDS["worker_pool"].world()
    world.jobs = GROUNDS["job"].world().jobs
    with Sandbox(world) as running:
        yield running


def channel(sandbox: Sandbox) -> grpc.Channel:
    return grpc.insecure_channel(sandbox.environment()["CLOUD_RUN_EMULATOR_HOST"])


@pytest.fixture
def pools(sandbox: Sandbox) -> Any:
    return run_v2.WorkerPoolsClient(transport=WorkerPoolsGrpcTransport(channel=channel(sandbox)))


@pytest.fixture
def executions(sandbox: Sandbox) -> Any:
    return run_v2.ExecutionsClient(transport=ExecutionsGrpcTransport(channel=channel(sandbox)))


def update(pools: Any, paths: list[str] | None, **fields: Any) -> Any:
    pool = run_v2.WorkerPool(name=POOL, **fields)
    mask = {"paths": paths} if paths else None
    request = run_v2.UpdateWorkerPoolRequest(worker_pool=pool, update_mask=mask)
    return pools.update_worker_pool(request=request, timeout=5)


def to(revision: str, percent: int = 100) -> Split:
    return {"type_": REVISION, "revision": revision, "percent": percent}


def serving(pools: Any) -> dict[str, int]:
    return {one.revision: one.percent for one in pools.get_worker_pool(name=POOL).instance_split_statuses}


def test_a_masked_update_of_a_pool_changes_its_split_and_nothing_else(pools: Any) -> None:
    update(pools, ["instance_splits"], instance_splits=[to("indexer-00007")]).result(timeout=5)

    assert serving(pools) == {"indexer-00007": 100}
    assert pools.get_worker_pool(name=POOL).scaling.manual_instance_count == 3


def test_no_instances_is_a_count_that_is_sent(pools: Any) -> None:
    update(pools, ["scaling.manual_instance_count"], scaling={"manual_instance_count": 0}).result(timeout=5)

    assert pools.get_worker_pool(name=POOL).scaling.manual_instance_count == 0


def test_an_empty_split_of_a_pool_leads_to_latest(pools: Any) -> None:
    update(pools, ["instance_splits"], instance_splits=[]).result(timeout=5)

    assert serving(pools) == {"indexer-00008": 100}


def test_a_split_to_a_missing_revision_is_accepted_and_fails(pools: Any) -> None:
    with pytest.raises(exceptions.GoogleAPICallError, match="does not exist"):
        update(pools, ["instance_splits"], instance_splits=[to("indexer-00001")]).result(timeout=5)

    assert serving(pools) == {"indexer-00008": 100}


@pytest.mark.parametrize(
    ("paths", "fields", "fault"),
    [
        (["instance_splits"], {"etag": '"other"'}, exceptions.Aborted),
        (None, {"instance_splits": [to("indexer-00007")]}, exceptions.AlreadyExists),
        (["template"], {}, exceptions.AlreadyExists),
        (["instanceSplits"], {}, exceptions.InvalidArgument),
        (["instance_splits"], {"instance_splits": [to("indexer-00007", 90)]}, exceptions.InvalidArgument),
        (["instance_splits"], {"instance_splits": [to(f"{POOL}/revisions/indexer-00007")]}, exceptions.InvalidArgument),
    ],
)
def test_a_wrong_update_of_a_pool_is_refused(
    pools: Any, paths: list[str] | None, fields: dict[str, Any], fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        update(pools, paths, **fields)

    assert serving(pools) == {"indexer-00008": 100}


def test_a_person_who_deploys_a_pool_moves_its_latest(sandbox: Sandbox, pools: Any) -> None:
    sandbox.world.deploy_pool("indexer", {"name": "indexer-00009", "image": 9})

    assert serving(pools) == {"indexer-00009": 100}


def test_a_cancelled_execution_ends_with_its_operation(sandbox: Sandbox, executions: Any) -> None:
    name = f"{JOB}/executions/nightly-bad"
    sandbox.world.settle_seconds = 0.2
    operation = executions.cancel_execution(name=name, timeout=5)
    asked = executions.get_execution(name=name)
    operation.result(timeout=5)
    ended = executions.get_execution(name=name)

    assert asked.conditions[0].execution_reason == run_v2.Condition.ExecutionReason.CANCELLING
    assert (asked.running_count, asked.cancelled_count) == (2, 0)
    assert ended.conditions[0].execution_reason == run_v2.Condition.ExecutionReason.CANCELLED
    assert (ended.running_count, ended.cancelled_count) == (0, 2)
    assert ended.completion_time


@pytest.mark.parametrize(
    ("name", "etag", "fault"),
    [
        ("nightly-old", "", exceptions.FailedPrecondition),
        ("nightly-bad", '"other"', exceptions.Aborted),
        ("nightly-none", "", exceptions.NotFound),
    ],
)
def test_what_has_ended_or_moved_or_never_was_is_not_cancelled(
    executions: Any, name: str, etag: str, fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        executions.cancel_execution(request={"name": f"{JOB}/executions/{name}", "etag": etag}, timeout=5)


def test_executions_are_listed_newest_first(executions: Any) -> None:
    names = [one.name.rpartition("/")[2] for one in executions.list_executions(parent=JOB)]

    assert names == ["nightly-other", "nightly-two", "nightly-bad", "nightly-old"]


def test_a_persons_edit_of_a_job_moves_generation_time_and_modifier_and_stops_no_run(
    sandbox: Sandbox, executions: Any
) -> None:
    local = sandbox.world.jobs[JOB]
    before = run_v2.Job(local.job)
    local.edit(labels={"tier": "critical"})

    assert local.job.labels == {"tier": "critical"}
    assert local.job.generation == before.generation + 1
    assert local.job.update_time != before.update_time
    assert local.job.last_modifier != before.last_modifier
    assert executions.get_execution(name=f"{JOB}/executions/nightly-bad").running_count == 2
