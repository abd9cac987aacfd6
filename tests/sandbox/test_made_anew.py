"""What is deleted and made anew under its name is another one, by the uid that Google's own clients read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import iam_admin_v1, run_v2
from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport

from sandbox.server import Sandbox
from sandbox.world import World
from tests.laws.grounds import JOB, POOL, POOL_REVISIONS
from tests.response.harness import GOOD, OLD, REVISIONS, SERVICE, revision, world_of

ACCOUNT = "projects/shop-prod/serviceAccounts/pay@shop-prod.iam.gserviceaccount.com"
EMAIL = ACCOUNT.rpartition("/")[2]
SPLIT = [{"revision": "indexer-00007", "percent": 100}]
GIVEN: Mapping[str, Mapping[str, Any]] = {
    SERVICE: {"name": SERVICE, "revisions": list(REVISIONS), "created": "-1s"},
    POOL: {"name": POOL, "revisions": list(POOL_REVISIONS), "splits": SPLIT, "created": "-1s"},
    JOB: {"name": JOB, "created": "-1s"},
    ACCOUNT: {"email": EMAIL},
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    pool = {"name": POOL, "revisions": list(POOL_REVISIONS), "splits": SPLIT}
    with Sandbox(world_of(worker_pools=[pool], jobs=[{"name": JOB}], service_accounts=[{"email": EMAIL}])) as running:
        yield running


def read(sandbox: Sandbox, name: str) -> Any:
    """What Google's client for that kind reads under the name."""
    channel = grpc.insecure_channel(sandbox.environment()["CLOUD_RUN_EMULATOR_HOST"])
    calls: Mapping[str, Callable[..., Any]] = {
        "services": run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel)).get_service,
        "jobs": run_v2.JobsClient(transport=JobsGrpcTransport(channel=channel)).get_job,
        "workerPools": run_v2.WorkerPoolsClient(transport=WorkerPoolsGrpcTransport(channel=channel)).get_worker_pool,
        "revisions": run_v2.RevisionsClient(transport=RevisionsGrpcTransport(channel=channel)).get_revision,
        "serviceAccounts": iam_admin_v1.IAMClient(transport=IAMGrpcTransport(channel=channel)).get_service_account,
    }
    return calls[name.split("/")[-2]](name=name, retry=None, timeout=5)


def add(world: World, name: str) -> None:
    adders: Mapping[str, Callable[..., Any]] = {
        "services": world.add_service,
        "workerPools": world.add_pool,
        "jobs": world.add_job,
        "serviceAccounts": world.add_account,
    }
    adders[name.split("/")[-2]](GIVEN[name])


@pytest.mark.parametrize("name", [SERVICE, POOL, JOB])
def test_a_workload_made_anew_under_its_name_has_another_uid_and_a_later_beginning(sandbox: Sandbox, name: str) -> None:
    first = read(sandbox, name)
    sandbox.world.delete(name)
    with pytest.raises(exceptions.NotFound):
        read(sandbox, name)
    add(sandbox.world, name)
    second = read(sandbox, name)

    assert (first.name, bool(first.uid)) == (second.name, True)
    assert second.uid != first.uid
    assert second.create_time - first.create_time > dt.timedelta(days=29)


def test_a_service_account_made_anew_under_its_address_has_another_unique_id(sandbox: Sandbox) -> None:
    first = read(sandbox, ACCOUNT)
    sandbox.world.delete(ACCOUNT)
    with pytest.raises(exceptions.NotFound):
        read(sandbox, ACCOUNT)
    add(sandbox.world, ACCOUNT)
    second = read(sandbox, ACCOUNT)

    assert [len(one.unique_id) for one in (first, second)] == [21, 21]
    assert second.unique_id != first.unique_id


def test_a_revision_deployed_anew_under_its_name_has_another_uid(sandbox: Sandbox) -> None:
    name = f"{SERVICE}/revisions/{OLD}"
    first = read(sandbox, name)
    sandbox.world.delete(name)
    sandbox.world.deploy("checkout", revision(OLD, 6, "-1s"))

    assert read(sandbox, name).uid not in ("", first.uid)


def test_every_uid_is_of_one_thing_alone(sandbox: Sandbox) -> None:
    names = [SERVICE, POOL, JOB, *(f"{SERVICE}/revisions/{one['name']}" for one in REVISIONS)]

    assert len({read(sandbox, name).uid for name in names}) == len(names)


def test_reading_again_shows_the_same_uid(sandbox: Sandbox) -> None:
    before = read(sandbox, SERVICE).uid
    sandbox.world.set_traffic("checkout", {"revision": GOOD, "percent": 100})

    assert read(sandbox, SERVICE).uid == before


def test_a_person_deletes_no_revision_that_cloud_run_keeps(sandbox: Sandbox) -> None:
    for name in (f"{SERVICE}/revisions/checkout-00008-bad", f"{POOL}/revisions/indexer-00008"):
        with pytest.raises(ValueError, match="latest revision"):
            sandbox.world.delete(name)
    with pytest.raises(ValueError, match="able to receive traffic"):
        sandbox.world.delete(f"{POOL}/revisions/indexer-00007")
    sandbox.world.delete(f"{POOL}/revisions/indexer-00006")
    with pytest.raises(KeyError):
        sandbox.world.delete(f"{SERVICE}-gone")
