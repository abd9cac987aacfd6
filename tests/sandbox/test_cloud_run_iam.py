from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.iam.v1 import policy_pb2

from tests.sandbox.cloud_run_clients import NAME, Clients, checkout, served

INVOKER = "roles/run.invoker"
DAYTIME = {"title": "day", "expression": "request.time.getHours() < 18"}


@pytest.fixture
def cloud() -> Iterator[Clients]:
    with served(checkout()) as clients:
        yield clients


def read(cloud: Clients, version: int = 3) -> Any:
    request = {"resource": NAME, "options": {"requested_policy_version": version}}
    return cloud.services.get_iam_policy(request=request, timeout=5)


def write(cloud: Clients, policy: Any) -> Any:
    return cloud.services.set_iam_policy(request={"resource": NAME, "policy": policy}, timeout=5)


def conditional(cloud: Clients) -> None:
    """Put two bindings of one role there, one under a condition."""
    policy = read(cloud)
    policy.version = 3
    policy.bindings.add(role=INVOKER, members=["user:a@shop.example"], condition=DAYTIME)
    write(cloud, policy)


def bindings(policy: Any) -> list[tuple[str, list[str], str]]:
    return [(one.role, list(one.members), one.condition.expression) for one in policy.bindings]


def test_a_public_service_has_all_users_among_its_invokers(cloud: Clients) -> None:
    assert bindings(read(cloud)) == [(INVOKER, ["allUsers"], "")]


def test_a_policy_read_at_version_3_shows_its_conditions(cloud: Clients) -> None:
    conditional(cloud)

    assert (INVOKER, ["user:a@shop.example"], DAYTIME["expression"]) in bindings(read(cloud))


@pytest.mark.parametrize("version", [0, 1])
def test_below_version_3_conditions_are_hidden_behind_a_mangled_role(cloud: Clients, version: int) -> None:
    conditional(cloud)
    role, members, expression = bindings(read(cloud, version))[1]

    assert role.startswith(f"{INVOKER}_withcond_")
    assert (members, expression) == (["user:a@shop.example"], "")


def test_a_policy_read_below_version_3_and_written_back_loses_its_conditions(cloud: Clients) -> None:
    conditional(cloud)
    write(cloud, read(cloud, 1))

    assert not any(expression for _, _, expression in bindings(read(cloud)))


def test_a_stale_etag_is_aborted_and_changes_nothing(cloud: Clients) -> None:
    stale = read(cloud)
    conditional(cloud)
    del stale.bindings[:]

    with pytest.raises(exceptions.Aborted, match="concurrent policy changes"):
        write(cloud, stale)
    assert len(bindings(read(cloud))) == 2


def test_an_empty_etag_overwrites_blindly(cloud: Clients) -> None:
    conditional(cloud)
    write(cloud, policy_pb2.Policy())

    assert bindings(read(cloud)) == []


def test_every_write_moves_the_etag(cloud: Clients) -> None:
    before = read(cloud)

    assert before.etag
    assert write(cloud, before).etag == read(cloud).etag != before.etag


def test_the_policy_of_a_missing_service_is_not_found(cloud: Clients) -> None:
    with pytest.raises(exceptions.NotFound):
        cloud.services.get_iam_policy(request={"resource": f"{NAME}-gone"}, timeout=5)


def test_setting_the_policy_can_be_denied_where_reading_is_allowed(cloud: Clients) -> None:
    cloud.world.denied.add("*/SetIamPolicy")

    with pytest.raises(exceptions.PermissionDenied):
        write(cloud, policy_pb2.Policy())
    assert bindings(read(cloud))


def test_an_organization_policy_lets_no_public_member_be_added_and_those_that_are_there_stay(cloud: Clients) -> None:
    """Who was granted before it was set can be written back; once gone, they do not come back."""
    cloud.world.admits_public_members = False
    policy = read(cloud)
    policy.bindings.add(role="roles/run.viewer", members=["user:ann@shop.example"])
    kept = write(cloud, policy)
    write(cloud, policy_pb2.Policy())

    assert len(kept.bindings) == 2
    with pytest.raises(exceptions.FailedPrecondition, match="permitted customer"):
        write(cloud, policy_pb2.Policy(bindings=[policy_pb2.Binding(role=INVOKER, members=["allUsers"])]))
    assert bindings(read(cloud)) == []


def test_a_person_sets_the_policy_under_a_new_etag_and_the_service_does_not_move(cloud: Clients) -> None:
    before, service = read(cloud), cloud.read()
    cloud.world.set_grants(NAME, {"role": INVOKER, "members": ["user:ann@shop.example"]})
    after = read(cloud)

    assert bindings(after) == [(INVOKER, ["user:ann@shop.example"], "")]
    assert after.etag != before.etag
    assert cloud.read() == service


def test_only_permissions_that_the_world_does_not_deny_are_held(cloud: Clients) -> None:
    cloud.world.denied |= {"*/UpdateService", "*/SetIamPolicy", "google.longrunning.*"}
    asked = [
        *(f"run.services.{verb}" for verb in ("get", "list", "update", "getIamPolicy", "setIamPolicy")),
        *("run.revisions.list", "run.operations.get"),
    ]
    held = cloud.services.test_iam_permissions(request={"resource": NAME, "permissions": asked}, timeout=5)

    assert list(held.permissions) == [
        *("run.services.get", "run.services.list", "run.services.getIamPolicy", "run.revisions.list")
    ]


@pytest.mark.parametrize("permission", ["storage.objects.get", "run.services", "run.services.*", ""])
def test_asking_about_what_is_no_permission_of_cloud_run_is_refused(cloud: Clients, permission: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        cloud.services.test_iam_permissions(request={"resource": NAME, "permissions": [permission]}, timeout=5)


def test_the_answer_to_a_write_at_version_3_shows_its_conditions(cloud: Clients) -> None:
    policy = read(cloud)
    policy.bindings.add(role=INVOKER, members=["user:a@shop.example"], condition=DAYTIME)

    assert bindings(write(cloud, policy))[1] == (INVOKER, ["user:a@shop.example"], DAYTIME["expression"])


def test_conditions_are_refused_on_a_write_below_version_3(cloud: Clients) -> None:
    policy = policy_pb2.Policy(version=1)
    policy.bindings.add(role=INVOKER, members=["user:a@shop.example"], condition=DAYTIME)

    with pytest.raises(exceptions.InvalidArgument):
        write(cloud, policy)


def test_a_policy_read_below_version_3_says_so(cloud: Clients) -> None:
    conditional(cloud)

    assert read(cloud, 1).version < 3


@pytest.mark.parametrize("member", ["bob", "user", "everyone", ""])
def test_a_member_of_no_kind_is_refused(cloud: Clients, member: str) -> None:
    policy = policy_pb2.Policy()
    policy.bindings.add(role=INVOKER, members=[member])

    with pytest.raises(exceptions.InvalidArgument):
        write(cloud, policy)


def test_a_policy_version_that_does_not_exist_is_refused(cloud: Clients) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        read(cloud, 2)
