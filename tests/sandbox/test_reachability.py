from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.iam.v1 import policy_pb2

from sandbox.cloud_run.reach import Caller, Origin, revisions_open_to, who_can_reach
from sandbox.cloud_run.reachability import open_doors, reachable_revisions
from sandbox.world import World
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

LOAD_BALANCER = 3


@pytest.fixture
def cloud() -> Iterator[Clients]:
    with served(checkout()) as clients:
        yield clients


def public(world: World, origin: Origin = "internet", caller: Caller = "anyone") -> set[str]:
    return set(revisions_open_to(world, "checkout", origin, caller))


def bind(cloud: Clients, role: str, *members: str) -> None:
    policy = policy_pb2.Policy()
    policy.bindings.add(role=role, members=members)
    cloud.services.set_iam_policy(request={"resource": NAME, "policy": policy}, timeout=5)


def test_anyone_reaches_what_latest_leads_to(cloud: Clients) -> None:
    assert public(cloud.world) == {BAD}


def test_a_tag_leads_to_a_revision_that_has_no_share(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[to(GOOD), to(BAD, 0, "canary")]).result(timeout=5)
    ways = who_can_reach(cloud.world, "checkout")

    assert public(cloud.world) == {GOOD, BAD}
    assert {(one.tag, one.percent) for one in ways if one.revision == BAD} == {("canary", 0)}
    assert reachable_revisions(cloud.world, "checkout") == {GOOD: {"percent"}, BAD: {"tag canary"}}


def test_a_revision_listed_at_nothing_without_a_tag_is_not_reached(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[to(GOOD), to(BAD, 0)]).result(timeout=5)

    assert public(cloud.world) == {GOOD}


def test_what_serves_counts_and_not_what_is_wished_for(cloud: Clients) -> None:
    cloud.world.settle_seconds = NEVER
    cloud.update(["traffic"], traffic=[to(GOOD)])

    assert public(cloud.world) == {BAD}
    assert set(reachable_revisions(cloud.world, "checkout")) == {BAD}


def test_a_pin_to_a_missing_revision_leaves_the_bad_one_serving(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[to("checkout-00001-gone")])

    assert public(cloud.world) == {BAD}


def test_an_empty_traffic_list_leads_to_latest(cloud: Clients) -> None:
    cloud.update(["traffic"], traffic=[]).result(timeout=5)

    assert public(cloud.world) == {BAD}


@pytest.mark.parametrize(
    ("ingress", "origins"),
    [
        (ALL, {"internet", "load_balancer", "internal"}),
        (INTERNAL, {"internal"}),
        (LOAD_BALANCER, {"load_balancer", "internal"}),
        (NONE, set()),
        (0, {"internet", "load_balancer", "internal"}),
    ],
)
def test_ingress_says_from_where(cloud: Clients, ingress: int, origins: set[str]) -> None:
    cloud.update(["ingress"], ingress=ingress).result(timeout=5)

    assert {one.origin for one in who_can_reach(cloud.world, "checkout")} == origins


def test_a_door_counts_as_open_until_the_operation_that_shuts_it_is_over(cloud: Clients) -> None:
    cloud.world.settle_seconds = NEVER
    cloud.update(["ingress"], ingress=NONE)

    assert public(cloud.world) == {BAD}


def test_a_door_counts_as_open_when_the_operation_that_was_to_shut_it_failed(cloud: Clients) -> None:
    cloud.world.fail_next_operation()
    cloud.update(["ingress"], ingress=NONE)

    assert public(cloud.world) == {BAD}


def test_without_its_own_address_only_a_load_balancer_leads_to_it(cloud: Clients) -> None:
    cloud.update(["default_uri_disabled"], default_uri_disabled=True).result(timeout=5)

    assert {one.origin for one in who_can_reach(cloud.world, "checkout")} == {"load_balancer"}


@pytest.mark.parametrize(
    ("role", "members", "callers"),
    [
        ("roles/run.invoker", ["allUsers"], {"anyone"}),
        ("roles/run.invoker", ["allAuthenticatedUsers"], {"any_account"}),
        ("roles/run.invoker", ["user:a@shop.example"], {"named"}),
        ("roles/run.admin", ["allUsers", "user:a@shop.example"], {"anyone", "named"}),
        ("projects/shop-prod/roles/custom", ["allUsers"], {"anyone"}),
        ("roles/run.viewer", ["allUsers"], set()),
    ],
)
def test_the_policy_says_who(cloud: Clients, role: str, members: list[str], callers: set[str]) -> None:
    bind(cloud, role, *members)

    assert {one.caller for one in who_can_reach(cloud.world, "checkout")} == callers


def test_without_the_invoker_check_the_policy_says_nothing(cloud: Clients) -> None:
    bind(cloud, "roles/run.invoker", "user:a@shop.example")
    cloud.update(["invoker_iam_disabled"], invoker_iam_disabled=True).result(timeout=5)

    assert {one.caller for one in who_can_reach(cloud.world, "checkout")} == {"anyone"}


@pytest.mark.parametrize("traffic", [[to_latest()], [to(BAD)]])
def test_scaled_to_nothing_by_hand_a_share_leads_nowhere(cloud: Clients, traffic: list[Any]) -> None:
    scaling = {"scaling_mode": 2, "manual_instance_count": 0}
    cloud.update(["traffic", "scaling"], traffic=traffic, scaling=scaling).result(timeout=5)

    assert who_can_reach(cloud.world, "checkout") == frozenset()


def test_scaled_to_nothing_by_hand_a_tag_alone_still_leads_to_its_revision(cloud: Clients) -> None:
    scaling = {"scaling_mode": 2, "manual_instance_count": 0}
    traffic = [to(GOOD), to(BAD, 0, "canary")]
    cloud.update(["traffic", "scaling"], traffic=traffic, scaling=scaling).result(timeout=5)

    assert public(cloud.world) == {BAD}


def test_a_maximum_of_nothing_stops_nothing(cloud: Clients) -> None:
    cloud.update(["scaling"], scaling={"max_instance_count": 0}).result(timeout=5)

    assert public(cloud.world) == {BAD}


def test_the_open_doors_of_a_public_service_are_all_of_them(cloud: Clients) -> None:
    assert open_doors(cloud.world, "checkout") == {"ingress", "anybody", "direct url"}


@pytest.mark.parametrize("operation", ["fails", "goes on"])
def test_no_oracle_believes_a_wish(cloud: Clients, operation: str) -> None:
    if operation == "fails":
        cloud.world.fail_next_operation()
    else:
        cloud.world.settle_seconds = NEVER
    cloud.update(["ingress", "default_uri_disabled"], ingress=NONE, default_uri_disabled=True)

    assert open_doors(cloud.world, "checkout") >= {"ingress", "direct url"}


def test_no_oracle_reads_unspecified_ingress_as_shut(cloud: Clients) -> None:
    cloud.update(["ingress"], ingress=0).result(timeout=5)

    assert "ingress" in open_doors(cloud.world, "checkout")
