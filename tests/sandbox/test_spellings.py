"""A project has an id and a number, and the sandbox's Cloud Run takes both, through Google's own clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.cloud import run_v2
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport

from sandbox.server import Sandbox
from tests.laws.grounds import JOB, POOL, POOL_REVISIONS
from tests.response.harness import GOOD, SERVICE, world_of

NUMBER = "424242424242"


def by_number(name: str) -> str:
    return name.replace("shop-prod", NUMBER)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    pool = {"name": by_number(POOL), "revisions": list(POOL_REVISIONS)}
    with Sandbox(world_of(worker_pools=[pool], jobs=[{"name": JOB}])) as running:
        yield running


def channel(sandbox: Sandbox) -> grpc.Channel:
    return grpc.insecure_channel(sandbox.environment()["CLOUD_RUN_EMULATOR_HOST"])


@pytest.fixture
def services(sandbox: Sandbox) -> Any:
    return run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel(sandbox)))


def names(sandbox: Sandbox, services: Any, spell: Any) -> list[str]:
    """What answers call a service, its latest revision, one of its revisions and its service, a pool and a job."""
    revisions = run_v2.RevisionsClient(transport=RevisionsGrpcTransport(channel=channel(sandbox)))
    pools = run_v2.WorkerPoolsClient(transport=WorkerPoolsGrpcTransport(channel=channel(sandbox)))
    jobs = run_v2.JobsClient(transport=JobsGrpcTransport(channel=channel(sandbox)))
    service = services.get_service(name=spell(SERVICE), timeout=5)
    revision = next(iter(revisions.list_revisions(parent=spell(SERVICE), timeout=5)))
    pool = pools.get_worker_pool(name=spell(POOL), timeout=5)
    job = jobs.get_job(name=spell(JOB), timeout=5)
    return [service.name, service.latest_ready_revision, revision.name, revision.service, pool.name, job.name]


def test_an_answer_spells_the_project_as_the_question_did(sandbox: Sandbox, services: Any) -> None:
    by_id = names(sandbox, services, str)

    assert all("/shop-prod/" in f"/{one}" for one in by_id)
    assert names(sandbox, services, by_number) == [by_number(one) for one in by_id]


@pytest.mark.parametrize("spell", [str, by_number])
def test_a_world_may_spell_it_by_the_number_however_it_was_asked(sandbox: Sandbox, services: Any, spell: Any) -> None:
    sandbox.world.answers_by_number = True

    assert all(one.startswith(f"projects/{NUMBER}/") for one in names(sandbox, services, spell))


def test_both_spellings_are_one_service(sandbox: Sandbox, services: Any) -> None:
    uids = {services.get_service(name=spell(SERVICE), timeout=5).uid for spell in (str, by_number)}
    pinned = {"type_": 2, "revision": GOOD, "percent": 100}
    request = run_v2.UpdateServiceRequest(
        service=run_v2.Service(name=by_number(SERVICE), traffic=[pinned]), update_mask={"paths": ["traffic"]}
    )
    services.update_service(request=request, timeout=5).result(timeout=5)

    assert len(uids) == 1
    assert [one.revision for one in sandbox.world.service(SERVICE).service.traffic] == [GOOD]
    assert sandbox.world.service(SERVICE).service.name == SERVICE
