from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport

from sandbox.server import Sandbox
from sandbox.wire import Fault
from sandbox.world import World
from tests.sandbox.cloud_run_clients import BAD, GOOD, LOCATION, NAME, NEVER, checkout

SHIPPED = sorted((Path(__file__).parents[2] / "sandbox" / "worlds").glob("*.yaml"))
TWO = [{"name": GOOD, "created": "-10d"}, {"name": BAD, "created": "-3h"}]


def service(**given: Any) -> Any:
    return World.load(checkout(**given)).service("checkout")


def serving(world: World) -> list[tuple[str, int, str]]:
    return [(one.revision, one.percent, one.tag) for one in world.service("checkout").service.traffic_statuses]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_world_loads(path: Path) -> None:
    assert World.load(path).services


def test_the_compromised_checkout_serves_its_bad_revision_to_everybody() -> None:
    world = World.load(SHIPPED[0].with_name("checkout_compromised.yaml"))
    local = world.service("checkout")

    assert (BAD, 100, "") in serving(world)
    assert (BAD, 0, "canary") in serving(world)
    assert [one.name.rpartition("/")[2] for one in local.revisions] == ["checkout-00006-old", GOOD, BAD]
    assert "allUsers" in local.policy.bindings[0].members


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"servces": []}, "servces"),
        ({"services": [{"name": NAME, "revisions": [], "ingres": "all"}]}, "ingres"),
        ({"services": [{"name": NAME, "revisions": [{"name": GOOD, "imagee": 1}]}]}, "imagee"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_it(given: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        World.load(given)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"projects": {"shop-prod": {"numbr": "1"}}}, id="project"),
        pytest.param(checkout(traffic=[{"latest": True, "percnt": 100}]), id="traffic"),
        pytest.param(checkout(iam=[{"role": "roles/run.invoker", "members": ["allUsers"], "when": 1}]), id="iam"),
        pytest.param({"faults": [{"method": "*", "knd": "error"}]}, id="fault"),
    ],
)
def test_an_unknown_key_further_down_is_an_error_too(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        World.load(given)


def test_a_condition_on_a_binding_is_kept() -> None:
    condition = {"title": "day", "expression": "request.time.getHours() < 18"}
    local = service(iam=[{"role": "roles/run.invoker", "members": ["user:a@x.test"], "condition": condition}])

    assert any(one.condition.expression == condition["expression"] for one in local.policy.bindings)


def test_faults_of_a_world_are_planted() -> None:
    fault = {"method": "*/GetService", "kind": "error", "code": "INTERNAL", "times": None}
    with Sandbox(World.load({**checkout(), "faults": [fault]})) as sandbox, pytest.raises(Exception, match="planted"):
        client_of(sandbox).get_service(name=NAME, timeout=5, retry=None)


def test_times_may_be_relative_to_now() -> None:
    now = dt.datetime.now(dt.UTC)
    local = service(created="-30d", updated="-2h")

    assert now - local.service.create_time > dt.timedelta(days=29)
    assert dt.timedelta(hours=1) < now - local.service.update_time < dt.timedelta(hours=3)


def test_a_service_is_found_by_its_short_name_its_name_and_its_projects_number() -> None:
    world = World.load(checkout())

    assert world.service("checkout") is world.find(NAME) is world.find(NAME.replace("shop-prod", "345678901234"))
    assert world.find(f"{LOCATION}/services/other") is None


def test_a_person_who_deploys_moves_latest_only_if_the_revision_is_ready() -> None:
    world = World.load(checkout(revisions=TWO))
    world.deploy("checkout", {"name": "checkout-00009-bad", "ready": False})
    after_failed = serving(world)
    world.deploy("checkout", {"name": "checkout-00010-fix"})

    assert after_failed == [(BAD, 100, "")]
    assert serving(world) == [("checkout-00010-fix", 100, "")]


def test_a_deploy_onto_pinned_traffic_serves_nothing_of_the_new_revision() -> None:
    world = World.load(checkout(revisions=TWO, traffic=[{"revision": GOOD, "percent": 100}]))
    world.deploy("checkout", {"name": "checkout-00010-fix"})

    assert serving(world) == [(GOOD, 100, "")]


def test_a_persons_edit_moves_etag_generation_and_modifier_and_takes_effect_at_once() -> None:
    world = World.load({**checkout(revisions=TWO), "settle_seconds": NEVER})
    before = run_v2.Service(world.service("checkout").service)
    world.set_traffic("checkout", {"revision": GOOD, "percent": 100}, {"revision": BAD, "tag": "look"})
    after = world.service("checkout").service

    assert serving(world) == [(GOOD, 100, ""), (BAD, 0, "look")]
    assert after.etag != before.etag
    assert after.generation == before.generation + 1 == after.observed_generation
    assert after.last_modifier != before.last_modifier


def client_of(sandbox: Sandbox) -> Any:
    channel = grpc.insecure_channel(sandbox.environment()["CLOUD_RUN_EMULATOR_HOST"])
    return run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel))


def test_a_sandbox_tells_where_its_servers_are() -> None:
    with Sandbox(World.load(checkout())) as sandbox:
        environment = sandbox.environment()

        assert environment["VIRUSTOTAL_HOST"].startswith("http://127.0.0.1:")
        assert all(environment[f"{name}_EMULATOR_HOST"].startswith("127.0.0.1:") for name in ("CLOUD_RUN", "PUBSUB"))
        assert client_of(sandbox).get_service(name=NAME, timeout=5).name == NAME


def test_a_sandbox_tells_where_iam_is() -> None:
    with Sandbox(World.load(checkout())) as sandbox:
        assert "IAM_EMULATOR_HOST" in sandbox.environment()


def test_a_sandbox_serves_every_method_there_is() -> None:
    with Sandbox(World.load(checkout())) as sandbox:
        request = {"resource": NAME, "permissions": ["run.services.get"]}

        assert client_of(sandbox).test_iam_permissions(request=request, timeout=5).permissions


def test_two_sandboxes_are_two_worlds() -> None:
    with Sandbox(World.load(checkout())) as one, Sandbox(World.load(checkout())) as other:
        one.world.edit("checkout", labels={"in": "one"})

        assert dict(client_of(other).get_service(name=NAME, timeout=5).labels) == {}
        assert other.wire.calls_to("*/GetService")
        assert not one.wire.calls


def test_a_sandbox_stops_while_a_call_hangs() -> None:
    with Sandbox(World.load(checkout())) as sandbox:
        sandbox.wire.inject(Fault("*/GetService", "hang", seconds=600))
        with pytest.raises(Exception, match="Deadline"):
            client_of(sandbox).get_service(name=NAME, timeout=0.2, retry=None)
    (call,) = sandbox.wire.calls

    assert call.method.endswith("GetService")
