"""The sandbox's service accounts, told through Google's own client, and lists of all regions through Cloud Run's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import iam_admin_v1, run_v2
from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.worker_pools.transports import WorkerPoolsGrpcTransport

from sandbox.server import Sandbox
from sandbox.world import World
from tests.laws.grounds import JOB, POOL
from tests.response.harness import SERVICE, revision, world_of

PAY, PAYMENTS = "pay@shop-prod.iam.gserviceaccount.com", "payments@shop-prod.iam.gserviceaccount.com"
OTHERS = "pay@shop-test.iam.gserviceaccount.com"
ELSEWHERE = SERVICE.replace("europe-west1", "us-east1")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    accounts = [{"email": PAY, "unique_id": "113"}, {"email": PAYMENTS, "disabled_by_google": True}, {"email": OTHERS}]
    pool = {"name": POOL, "revisions": [revision("indexer-00001", 7, "-1d")]}
    world = world_of(service_accounts=accounts, worker_pools=[pool], jobs=[{"name": JOB}])
    world.add_service({"name": ELSEWHERE, "revisions": [revision("checkout-00001", 7, "-1d")]})
    with Sandbox(world) as running:
        yield running


def channel(sandbox: Sandbox, variable: str = "IAM_EMULATOR_HOST") -> grpc.Channel:
    return grpc.insecure_channel(sandbox.environment()[variable])


@pytest.fixture
def iam(sandbox: Sandbox) -> Any:
    return iam_admin_v1.IAMClient(transport=IAMGrpcTransport(channel=channel(sandbox)))


def name(account: str, project: str = "shop-prod") -> str:
    return f"projects/{project}/serviceAccounts/{account}"


def disabled(iam: Any, account: str = PAY) -> bool:
    return bool(iam.get_service_account(name=name(account, "-"), retry=None, timeout=5).disabled)


def refusal(call: Any, **arguments: Any) -> type[Exception]:
    with pytest.raises(exceptions.GoogleAPICallError) as raised:
        call(retry=None, timeout=5, **arguments)
    return type(raised.value)


def test_an_account_is_disabled_and_enabled_and_each_may_be_said_twice(iam: Any) -> None:
    seen = []
    for call in (iam.disable_service_account, iam.enable_service_account):
        call(request={"name": name(PAY)})
        call(request={"name": name(PAY)})
        seen.append(disabled(iam))

    assert seen == [True, False]
    assert not disabled(iam, OTHERS)


@pytest.mark.parametrize("spelled", [name(PAY), name(PAY, "424242424242"), name("113"), name(PAY, "-")])
def test_an_account_is_found_by_address_and_by_unique_id_in_its_project(iam: Any, spelled: str) -> None:
    assert iam.get_service_account(name=spelled, retry=None, timeout=5).email == PAY


@pytest.mark.parametrize(
    ("spelled", "fault"),
    [
        (name("nobody@shop-prod.iam.gserviceaccount.com"), exceptions.NotFound),
        (name(OTHERS), exceptions.NotFound),
        (name("nobody@shop-prod.iam.gserviceaccount.com", "-"), exceptions.PermissionDenied),
        (PAY, exceptions.InvalidArgument),
        (f"{name(PAY)}/keys/1", exceptions.InvalidArgument),
    ],
)
def test_what_is_not_there_is_not_found_and_under_the_wildcard_forbidden(
    iam: Any, spelled: str, fault: type[Exception]
) -> None:
    assert refusal(iam.get_service_account, name=spelled) is fault
    assert refusal(iam.disable_service_account, request={"name": spelled}) is fault


def test_what_google_disabled_stays_disabled(iam: Any) -> None:
    assert refusal(iam.enable_service_account, request={"name": name(PAYMENTS)}) is exceptions.FailedPrecondition
    assert disabled(iam, PAYMENTS)


def test_a_call_that_the_world_denies_is_refused_and_the_others_are_not(sandbox: Sandbox, iam: Any) -> None:
    sandbox.world.denied.add("*/DisableServiceAccount")

    assert refusal(iam.disable_service_account, request={"name": name(PAY)}) is exceptions.PermissionDenied
    assert not disabled(iam)


def test_reads_may_lag_behind_a_write(sandbox: Sandbox, iam: Any) -> None:
    sandbox.world.stale_account_reads = 2
    iam.disable_service_account(request={"name": name(PAY)})

    assert [disabled(iam) for _ in range(3)] == [False, False, True]


def test_what_runs_as_a_disabled_account_takes_no_update(sandbox: Sandbox, iam: Any) -> None:
    """Of new services that is known; of updates it is what containment has to be ready for."""
    sandbox.world.service(SERVICE).service.template.service_account = PAY
    services = run_v2.ServicesClient(
        transport=ServicesGrpcTransport(channel=channel(sandbox, "CLOUD_RUN_EMULATOR_HOST"))
    )
    request = run_v2.UpdateServiceRequest(
        service=run_v2.Service(name=SERVICE, ingress=2), update_mask={"paths": ["ingress"]}
    )
    iam.disable_service_account(request={"name": name(PAY)})
    refused = refusal(services.update_service, request=request)
    iam.enable_service_account(request={"name": name(PAY)})
    services.update_service(request=request, retry=None, timeout=5)

    assert refused is exceptions.FailedPrecondition
    assert sandbox.world.service(SERVICE).service.ingress == 2


def test_nothing_else_of_iam_is_there(iam: Any) -> None:
    assert refusal(iam.delete_service_account, name=name(PAY)) is exceptions.MethodNotImplemented
    assert refusal(iam.list_service_account_keys, name=name(PAY)) is exceptions.MethodNotImplemented


def listed(sandbox: Sandbox, location: str) -> list[Any]:
    """The names of services, jobs and worker pools there, or why they are not listed."""
    clients = (
        run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel(sandbox, "CLOUD_RUN_EMULATOR_HOST"))),
        run_v2.JobsClient(transport=JobsGrpcTransport(channel=channel(sandbox, "CLOUD_RUN_EMULATOR_HOST"))),
        run_v2.WorkerPoolsClient(
            transport=WorkerPoolsGrpcTransport(channel=channel(sandbox, "CLOUD_RUN_EMULATOR_HOST"))
        ),
    )
    found: list[Any] = []
    for call in (clients[0].list_services, clients[1].list_jobs, clients[2].list_worker_pools):
        try:
            found.append([one.name for one in call(parent=f"projects/shop-prod/locations/{location}")])
        except exceptions.GoogleAPICallError as fault:
            found.append(type(fault))
    return found


def test_all_regions_are_listed_at_once_and_one_by_itself(sandbox: Sandbox) -> None:
    assert listed(sandbox, "-") == [[SERVICE, ELSEWHERE], [JOB], [POOL]]
    assert listed(sandbox, "us-east1") == [[ELSEWHERE], [], []]


def test_a_world_may_refuse_the_wildcard_as_googles_client_says_it_is(sandbox: Sandbox) -> None:
    sandbox.world.lists_everywhere = False

    assert listed(sandbox, "-") == [exceptions.InvalidArgument, [JOB], exceptions.InvalidArgument]


def test_an_account_with_an_unknown_word_does_not_load() -> None:
    with pytest.raises(ValueError, match="service account: unknown enabled"):
        World.load({"service_accounts": [{"email": PAY, "enabled": True}]})
