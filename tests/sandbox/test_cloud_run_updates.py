from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.longrunning import operations_pb2

from tests.sandbox.cloud_run_clients import (
    ALL,
    BAD,
    GOOD,
    INTERNAL,
    NAME,
    NEVER,
    NONE,
    Clients,
    checkout,
    served,
    to,
    to_latest,
)


@pytest.fixture
def cloud() -> Iterator[Clients]:
    with served(checkout()) as clients:
        yield clients


def names(cloud: Clients) -> list[str]:
    return [one.name.rpartition("/")[2] for one in cloud.revisions.list_revisions(parent=NAME, timeout=5)]


def test_a_masked_update_touches_only_what_is_masked(cloud: Clients) -> None:
    cloud.update(["ingress"], ingress=INTERNAL, traffic=[to(GOOD)], labels={"a": "b"}).result(timeout=5)
    after = cloud.read()

    assert after.ingress == INTERNAL
    assert not after.labels
    assert [(one.type_, one.percent) for one in after.traffic] == [(1, 100)]
    assert cloud.serving() == {(BAD, 100, "")}


def test_a_masked_list_is_replaced_and_not_appended_to(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)
    cloud.update(["traffic"], traffic=[to(GOOD, 60), to(BAD, 40)]).result(timeout=5)

    assert cloud.serving() == {(GOOD, 60, ""), (BAD, 40, "")}


def test_several_fields_move_in_one_update_without_a_new_revision(cloud: Clients) -> None:
    before = names(cloud)
    cloud.update(
        ["traffic", "ingress", "default_uri_disabled"],
        traffic=[to(GOOD)],
        ingress=INTERNAL,
        default_uri_disabled=True,
    ).result(timeout=5)
    after = cloud.read()

    assert (after.ingress, after.default_uri_disabled) == (INTERNAL, True)
    assert cloud.serving() == {(GOOD, 100, "")}
    assert names(cloud) == before


def test_a_full_update_that_echoes_the_revision_name_collides(cloud: Clients) -> None:
    service = cloud.read()
    service.template.revision = BAD
    service.traffic = [run_v2.TrafficTarget(to(GOOD))]

    with pytest.raises(exceptions.AlreadyExists, match=f"Revision named '{BAD}' with different configuration"):
        cloud.services.update_service(service=service, timeout=5, retry=None)


def test_a_full_update_drops_every_setting_that_it_does_not_repeat() -> None:
    with served(checkout(labels={"team": "payments"}, default_uri_disabled=True)) as cloud:
        cloud.update([], template={"revision": "checkout-00009-new"}).result(timeout=5)
        after = cloud.read()

        assert (dict(after.labels), after.default_uri_disabled) == ({}, False)


def test_a_changed_template_cuts_a_new_revision_that_latest_moves_to(cloud: Clients) -> None:
    cloud.update(["template.service_account"], template={"service_account": "cut-off@x.test"}).result(timeout=5)

    assert len(names(cloud)) == 3
    assert cloud.read().latest_created_revision.rpartition("/")[2] == names(cloud)[0]
    assert cloud.serving() == {(names(cloud)[0], 100, "")}


@pytest.mark.parametrize(
    "path", ["nonsense", "defaultUriDisabled", "multiRegionSettings", "name", "etag", "traffic_statuses"]
)
def test_a_mask_path_that_is_no_writable_field_is_refused(cloud: Clients, path: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=path):
        cloud.update([path])


@pytest.mark.parametrize("path", ["scaling.minInstanceCount", "template.nonsense", "traffic.percent", "ingress.x"])
def test_a_nested_mask_path_that_leads_nowhere_is_refused(cloud: Clients, path: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        cloud.update([path])


def test_an_update_that_is_refused_changes_nothing(cloud: Clients) -> None:
    with pytest.raises(exceptions.GoogleAPICallError):
        cloud.update(["ingress", "scaling.nonsense"], ingress=NONE)

    assert cloud.read().ingress == ALL


def test_the_etag_has_literal_quotes_and_has_to_match_exactly(cloud: Clients) -> None:
    etag = cloud.read().etag

    assert etag.startswith('"')
    assert etag.endswith('"')
    with pytest.raises(exceptions.Aborted):
        cloud.update(["ingress"], ingress=INTERNAL, etag=etag.strip('"'))
    cloud.update(["ingress"], ingress=INTERNAL, etag=etag).result(timeout=5)
    assert cloud.read().ingress == INTERNAL


def test_a_stale_etag_is_aborted_and_changes_nothing(cloud: Clients) -> None:
    etag = cloud.read().etag
    cloud.world.edit("checkout", labels={"by": "a person"})

    with pytest.raises(exceptions.Aborted):
        cloud.update(["traffic"], traffic=[to(GOOD)], etag=etag)
    assert cloud.serving() == {(BAD, 100, "")}


def test_every_write_moves_etag_update_time_generation_and_modifier(cloud: Clients) -> None:
    before = cloud.read()
    cloud.update(["ingress"], ingress=INTERNAL).result(timeout=5)
    after = cloud.read()

    assert after.etag != before.etag
    assert after.update_time > before.update_time
    assert after.generation == before.generation + 1 == after.observed_generation
    assert after.last_modifier != before.last_modifier


def test_an_empty_traffic_list_means_all_to_latest(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)
    cloud.update(["traffic"], traffic=[]).result(timeout=5)

    assert cloud.serving() == {(BAD, 100, "")}


@pytest.mark.parametrize(
    "traffic",
    [
        pytest.param([to(GOOD, 90)], id="less than 100"),
        pytest.param([to(GOOD, 60), to(BAD, 60)], id="more than 100"),
        pytest.param([to(GOOD, 0)], id="percent not given"),
        pytest.param([to(f"{NAME}/revisions/{GOOD}")], id="full name"),
        pytest.param([to("")], id="no name"),
        pytest.param([{**to_latest(), "revision": GOOD}], id="latest by name"),
        pytest.param([to(GOOD, 50, "x"), to(BAD, 50, "x")], id="tag twice"),
        pytest.param([to(GOOD, 100, "Not A Tag")], id="malformed tag"),
    ],
)
def test_traffic_that_makes_no_sense_is_refused(cloud: Clients, traffic: list[Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        cloud.update(["traffic"], traffic=traffic)
    assert cloud.serving() == {(BAD, 100, "")}


def test_a_share_outside_0_to_100_is_refused(cloud: Clients) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        cloud.update(["traffic"], traffic=[to(GOOD, 150), to(BAD, -50)])


def test_a_missing_revision_is_accepted_and_the_operation_ends_in_code_13(cloud: Clients) -> None:
    operation = cloud.update(["traffic"], traffic=[to("checkout-00001-gone")])

    with pytest.raises(exceptions.GoogleAPICallError, match="'checkout-00001-gone' does not exist or is deleted"):
        operation.result(timeout=5)
    assert operation.operation.error.code == 13
    assert cloud.serving() == {(BAD, 100, "")}
    assert cloud.read().traffic[0].revision == "checkout-00001-gone"


def test_latest_is_the_latest_revision_that_is_ready() -> None:
    revisions = [{"name": GOOD, "created": "-10d"}, {"name": BAD, "created": "-3h", "ready": False}]
    with served(checkout(revisions=revisions)) as cloud:
        service = cloud.read()

        assert service.latest_ready_revision.endswith(GOOD)
        assert service.latest_created_revision.endswith(BAD)
        assert cloud.serving() == {(GOOD, 100, "")}


def test_effective_traffic_lags_until_the_operation_is_over() -> None:
    world = checkout()
    with served({**world, "settle_seconds": NEVER}) as cloud:
        operation = cloud.update(["traffic"], traffic=[to(GOOD)])
        pending = cloud.read()

        assert not operation.operation.done
        assert pending.reconciling
        assert pending.generation > pending.observed_generation
        assert pending.traffic[0].revision == GOOD
        assert cloud.serving() == {(BAD, 100, "")}


def test_when_the_operation_is_over_the_service_has_settled(cloud: Clients) -> None:
    cloud.world.settle_seconds = 0.05
    cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)
    after = cloud.read()

    assert not after.reconciling
    assert after.generation == after.observed_generation
    assert cloud.serving() == {(GOOD, 100, "")}


def test_validate_only_answers_and_changes_nothing(cloud: Clients) -> None:
    before = cloud.read()
    operation = cloud.update(["traffic"], traffic=[to(GOOD)], validate_only=True)

    assert operation.operation.done
    assert cloud.read() == before


def test_validate_only_refuses_what_the_write_would_refuse(cloud: Clients) -> None:
    cloud.world.accepts_ingress_none = False

    with pytest.raises(exceptions.InvalidArgument, match="INGRESS_TRAFFIC_NONE"):
        cloud.update(["ingress"], ingress=NONE, validate_only=True)


def test_no_ingress_at_all_is_accepted_where_the_world_says_so(cloud: Clients) -> None:
    cloud.update(["ingress"], ingress=NONE).result(timeout=5)

    assert cloud.read().ingress == NONE


def test_a_masked_template_under_the_name_of_a_revision_collides(cloud: Clients) -> None:
    template = {"revision": GOOD, "service_account": "other@x.test"}

    with pytest.raises(exceptions.AlreadyExists):
        cloud.update(["template.revision", "template.service_account"], template=template)


def test_a_new_revision_is_what_the_template_says(cloud: Clients) -> None:
    cloud.update(["template.service_account"], template={"service_account": "cut-off@x.test"}).result(timeout=5)
    newest = cloud.revisions.get_revision(name=cloud.read().latest_created_revision, timeout=5)

    assert newest.service_account == "cut-off@x.test"


def test_a_new_revision_is_as_old_as_the_update_that_cut_it(cloud: Clients) -> None:
    before = cloud.read().update_time
    cloud.update(["template.service_account"], template={"service_account": "cut-off@x.test"}).result(timeout=5)
    newest = cloud.revisions.get_revision(name=cloud.read().latest_created_revision, timeout=5)

    assert newest.create_time > before


def test_a_later_update_takes_effect_with_its_own_operation(cloud: Clients) -> None:
    cloud.world.settle_seconds = 0.05
    first = cloud.update(["ingress"], ingress=INTERNAL)
    cloud.world.settle_seconds = NEVER
    cloud.update(["traffic"], traffic=[to(GOOD)])
    first.result(timeout=5)

    assert cloud.serving() == {(BAD, 100, "")}
    assert cloud.read().reconciling


def test_the_operation_is_the_locations_and_not_the_services(cloud: Clients) -> None:
    operation = cloud.update(["ingress"], ingress=INTERNAL)

    assert operation.operation.name.startswith("projects/shop-prod/locations/europe-west1/operations/")
    assert operation.metadata.name == operation.result(timeout=5).name == NAME


def test_an_operation_can_be_told_to_fail_after_its_write_was_accepted(cloud: Clients) -> None:
    cloud.world.fail_next_operation(9, "The revision could not be made ready.")
    operation = cloud.update(["traffic"], traffic=[to(GOOD)])

    with pytest.raises(exceptions.GoogleAPICallError, match="could not be made ready"):
        operation.result(timeout=5)
    assert cloud.serving() == {(BAD, 100, "")}


def test_an_operation_may_fail_although_what_was_written_serves(cloud: Clients) -> None:
    """As where the newest deployment is broken: the condition names that, and the generation is never observed."""
    said = "Revision 'checkout-00009-new' is not ready and cannot serve traffic."
    cloud.world.fail_next_operation(9, said, serves=True)
    with pytest.raises(exceptions.GoogleAPICallError, match="00009-new"):
        cloud.update(["traffic"], traffic=[to(GOOD)]).result(timeout=5)
    failed = cloud.read()
    cloud.update(["traffic"], traffic=[to(BAD)]).result(timeout=5)

    assert [(one.revision, one.percent) for one in failed.traffic_statuses] == [(GOOD, 100)]
    assert failed.terminal_condition.message == said
    assert failed.observed_generation < failed.generation
    assert not failed.reconciling
    assert cloud.read().observed_generation == cloud.read().generation
    assert not cloud.read().terminal_condition.message


def test_a_project_may_be_spelled_by_its_number(cloud: Clients) -> None:
    by_number = NAME.replace("shop-prod", "345678901234")
    cloud.update(["ingress"], name=by_number, ingress=INTERNAL).result(timeout=5)

    assert cloud.services.get_service(name=by_number, timeout=5).ingress == cloud.read().ingress == INTERNAL


def test_what_does_not_exist_is_not_found(cloud: Clients) -> None:
    with pytest.raises(exceptions.NotFound):
        cloud.update(["ingress"], name=f"{NAME}-gone", ingress=INTERNAL)


def test_a_call_without_the_routing_header_finds_nothing(cloud: Clients) -> None:
    bare = cloud.channel.unary_unary(
        "/google.cloud.run.v2.Services/UpdateService",
        request_serializer=run_v2.UpdateServiceRequest.serialize,
        response_deserializer=operations_pb2.Operation.FromString,
    )

    with pytest.raises(grpc.RpcError) as refused:
        bare(run_v2.UpdateServiceRequest(service={"name": NAME}), timeout=5)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_method_that_the_world_denies_is_refused_and_changes_nothing(cloud: Clients) -> None:
    cloud.world.denied.add("*/UpdateService")

    with pytest.raises(exceptions.PermissionDenied):
        cloud.update(["ingress"], ingress=INTERNAL)
    assert cloud.read().ingress == ALL
