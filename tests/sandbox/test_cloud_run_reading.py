from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2

from tests.sandbox.cloud_run_clients import (
    BAD,
    GOOD,
    INTERNAL,
    LOCATION,
    NAME,
    NEVER,
    Clients,
    checkout,
    served,
    to,
    to_latest,
)

OLD = "checkout-00006-old"
THREE = [
    {"name": OLD, "created": "-30d"},
    {"name": GOOD, "created": "-10d", "image": 7},
    {"name": BAD, "created": "-3h", "image": 8},
]


@pytest.fixture
def cloud() -> Iterator[Clients]:
    with served(checkout(revisions=THREE)) as clients:
        yield clients


def short(found: Any) -> list[str]:
    return [one.name.rpartition("/")[2] for one in found]


def delete(cloud: Clients, revision: str, **request: Any) -> Any:
    return cloud.revisions.delete_revision(request={"name": f"{NAME}/revisions/{revision}", **request}, timeout=5)


def test_revisions_are_listed_newest_first(cloud: Clients) -> None:
    found = list(cloud.revisions.list_revisions(parent=NAME, timeout=5))

    assert short(found) == [BAD, GOOD, OLD]
    assert [one.create_time for one in found] == sorted((one.create_time for one in found), reverse=True)


def test_a_revision_has_the_digest_and_not_the_tag_of_its_image(cloud: Clients) -> None:
    found = cloud.revisions.get_revision(name=f"{NAME}/revisions/{BAD}", timeout=5)

    assert found.containers[0].image.endswith(f"@sha256:{8:0>64}")


def test_a_healthy_revision_that_serves_nothing_is_ready_though_another_condition_failed(cloud: Clients) -> None:
    found = cloud.revisions.get_revision(name=f"{NAME}/revisions/{OLD}", timeout=5)

    assert {one.type_: one.state.name for one in found.conditions} == {
        "Ready": "CONDITION_SUCCEEDED",
        "Active": "CONDITION_FAILED",
    }


def test_lists_come_in_pages_and_the_pager_finds_them_all(cloud: Clients) -> None:
    pages = list(cloud.revisions.list_revisions(request={"parent": NAME, "page_size": 2}, timeout=5).pages)

    assert [short(page.revisions) for page in pages] == [[BAD, GOOD], [OLD]]


def test_a_page_is_never_larger_than_the_server_likes() -> None:
    many = [{"name": f"checkout-{number:05}-abc", "created": f"-{100 - number}d"} for number in range(45)]
    with served(checkout(revisions=many)) as cloud:
        pages = list(cloud.revisions.list_revisions(request={"parent": NAME, "page_size": 1000}, timeout=5).pages)

        assert len(pages) > 1
        assert sum(len(page.revisions) for page in pages) == 45


def test_a_page_token_of_ones_own_making_is_refused(cloud: Clients) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        cloud.revisions.list_revisions(request={"parent": NAME, "page_token": "mine"}, timeout=5)


def test_the_revisions_of_all_services_can_be_listed(cloud: Clients) -> None:
    assert short(cloud.revisions.list_revisions(parent=f"{LOCATION}/services/-", timeout=5)) == [BAD, GOOD, OLD]


def test_services_are_listed_by_location_under_either_spelling_of_the_project(cloud: Clients) -> None:
    for parent in (LOCATION, LOCATION.replace("shop-prod", "345678901234")):
        assert short(cloud.services.list_services(parent=parent, timeout=5)) == ["checkout"]
    assert short(cloud.services.list_services(parent=LOCATION.replace("west1", "west4"), timeout=5)) == []


def test_a_revision_that_does_not_exist_is_not_found(cloud: Clients) -> None:
    with pytest.raises(exceptions.NotFound):
        cloud.revisions.get_revision(name=f"{NAME}/revisions/checkout-00001-gone", timeout=5)


def test_a_retired_revision_is_deleted_for_good(cloud: Clients) -> None:
    assert delete(cloud, OLD).result(timeout=5).name == f"{NAME}/revisions/{OLD}"
    assert short(cloud.revisions.list_revisions(parent=NAME, timeout=5)) == [BAD, GOOD]


def test_the_latest_revision_cannot_be_deleted(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)

    with pytest.raises(exceptions.FailedPrecondition, match="latest revision"):
        delete(cloud, BAD)


@pytest.mark.parametrize("traffic", [[to(GOOD)], [to_latest(), to(GOOD, 0, "canary")]])
def test_a_revision_that_can_receive_traffic_cannot_be_deleted(cloud: Clients, traffic: list[Any]) -> None:
    cloud.update(["traffic"], traffic=traffic).result(timeout=5)

    with pytest.raises(exceptions.FailedPrecondition, match="able to receive traffic"):
        delete(cloud, GOOD)


def test_a_revision_that_still_serves_cannot_be_deleted_though_the_wish_has_moved_on(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)
    cloud.world.settle_seconds = NEVER
    cloud.update(["traffic"], traffic=[to(BAD)])

    with pytest.raises(exceptions.FailedPrecondition, match="able to receive traffic"):
        delete(cloud, GOOD)


def test_the_only_revision_cannot_be_deleted() -> None:
    with served(checkout(revisions=THREE[:1])) as cloud, pytest.raises(exceptions.FailedPrecondition, match="only"):
        delete(cloud, OLD)


def test_deleting_can_be_tried_without_doing_it_and_not_under_another_etag(cloud: Clients) -> None:
    delete(cloud, OLD, validate_only=True)

    with pytest.raises(exceptions.Aborted):
        delete(cloud, OLD, etag='"other"')
    assert OLD in short(cloud.revisions.list_revisions(parent=NAME, timeout=5))


def test_deleting_is_denied_like_anything_else(cloud: Clients) -> None:
    cloud.world.denied.add("*/DeleteRevision")

    with pytest.raises(exceptions.PermissionDenied):
        delete(cloud, OLD)


def test_an_operation_is_polled_by_name_until_it_is_done(cloud: Clients) -> None:
    cloud.world.settle_seconds = NEVER
    name = cloud.update(["ingress"], ingress=INTERNAL).operation.name

    assert not cloud.services.get_operation({"name": name}, timeout=5).done


def test_an_unknown_operation_is_not_found(cloud: Clients) -> None:
    with pytest.raises(exceptions.NotFound):
        cloud.services.get_operation({"name": f"{LOCATION}/operations/none"}, timeout=5)


def test_an_operation_is_found_by_the_projects_number(cloud: Clients) -> None:
    name = cloud.update(["ingress"], ingress=INTERNAL).operation.name

    assert cloud.services.get_operation({"name": name.replace("shop-prod", "345678901234")}, timeout=5).done


def test_waiting_for_an_operation_returns_when_it_is_over(cloud: Clients) -> None:
    cloud.world.settle_seconds = 0.05
    name = cloud.update(["traffic"], traffic=[to(GOOD)]).operation.name
    # Google's client gives the answer's bytes as they are.
    answer = operations_pb2.Operation.FromString(cloud.services.wait_operation({"name": name}, timeout=5))

    assert answer.done
    assert cloud.serving() == {(GOOD, 100, "")}


def test_waiting_ends_with_the_time_asked_for_though_the_operation_goes_on(cloud: Clients) -> None:
    cloud.world.settle_seconds = NEVER
    name = cloud.update(["ingress"], ingress=INTERNAL).operation.name
    request = operations_pb2.WaitOperationRequest(name=name, timeout=duration_pb2.Duration(nanos=1))

    assert not operations_pb2.Operation.FromString(cloud.services.wait_operation(request, timeout=5)).done


def test_others_are_served_while_one_waits(cloud: Clients) -> None:
    cloud.world.settle_seconds = NEVER
    name = cloud.update(["ingress"], ingress=INTERNAL).operation.name
    request = operations_pb2.WaitOperationRequest(name=name, timeout=duration_pb2.Duration(nanos=200_000_000))
    waiting = cloud.channel.unary_unary(
        "/google.longrunning.Operations/WaitOperation",
        request_serializer=operations_pb2.WaitOperationRequest.SerializeToString,
        response_deserializer=operations_pb2.Operation.FromString,
    ).future(request, timeout=5)

    assert cloud.read().reconciling
    assert not waiting.result(timeout=5).done


def test_operations_are_listed_in_pages_by_location(cloud: Clients) -> None:
    names = [cloud.update(["ingress"], ingress=one).operation.name for one in (1, 2, 1)]
    first = cloud.services.list_operations({"name": LOCATION}, timeout=5)
    rest = cloud.services.list_operations({"name": LOCATION, "page_token": first.next_page_token}, timeout=5)

    assert [one.name for one in (*first.operations, *rest.operations)] == names
    assert rest.next_page_token == ""
    with pytest.raises(exceptions.InvalidArgument):
        cloud.services.list_operations({"name": LOCATION, "page_token": "mine"}, timeout=5)


def test_polling_can_be_denied_where_writing_is_allowed(cloud: Clients) -> None:
    cloud.world.denied.add("google.longrunning.Operations/*")
    name = cloud.update(["ingress"], ingress=INTERNAL).operation.name

    for poll in (cloud.services.get_operation, cloud.services.wait_operation):
        with pytest.raises(exceptions.PermissionDenied):
            poll({"name": name}, timeout=5)
    assert cloud.read().ingress == INTERNAL
