"""Policies are written by role and condition: what is not named is never touched."""

from __future__ import annotations

from typing import Any

import pytest
from google.iam.v1 import policy_pb2

from firebreak.adapters.cloud_run.services import CloudRunServices
from firebreak.adapters.google.iam_policies import amend, policy_state
from firebreak.core.cloud_run.iam_grants import PUBLIC, may_reach, read_grant
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Change
from firebreak.core.errors import Drifted, Unsupported
from firebreak.ports.deadline import Deadline
from sandbox.server import Sandbox
from tests.laws.grounds import grants
from tests.response.harness import world_of

TARGET = Target("shop-prod", "europe-west1", "service", "checkout")
UNTIL = {"title": "until | spring", "expression": 'request.time < timestamp("2027-03-01T00:00:00Z") || false'}
SINCE = {"title": "until | spring", "expression": 'request.time > timestamp("2026-01-01T00:00:00Z")'}


def policy() -> Any:
    made = policy_pb2.Policy(version=3, etag=b"\xff1")
    made.bindings.add(role="roles/run.invoker", members=["allUsers", "user:ann@shop.example"])
    made.bindings.add(role="roles/run.invoker", members=["allUsers", "user:ben@shop.example"], condition=UNTIL)
    made.bindings.add(role="roles/run.invoker", members=["allUsers"], condition=SINCE)
    made.bindings.add(role="roles/run.viewer", members=["allUsers"])
    return made


def state(of: Any) -> dict[str, Any]:
    return policy_state(of, "service_iam", lambda role, member: member in PUBLIC and may_reach(role))


def test_two_conditional_bindings_of_one_role_are_two_settings() -> None:
    """Even where their titles are the same."""
    found = [read_grant(key, value) for key, value in state(policy()).items()]

    assert {(one.role, one.member) for one in found} == {("roles/run.invoker", "allUsers")}
    assert sorted(bool(one.condition) for one in found) == [False, True, True]


def test_taking_members_leaves_every_other_binding_member_and_condition() -> None:
    """A binding that nobody is left in goes; the policy is written in version 3 under its own etag."""
    before = policy()
    after = amend(before, {key: (value, None) for key, value in state(before).items()})
    public = {one for one in grants(before) if one[::2] == ("roles/run.invoker", "allUsers")}

    assert grants(after) == grants(before) - public
    assert all(binding.members for binding in after.bindings)
    assert (after.version, after.etag) == (3, b"\xff1")


def test_giving_back_what_was_taken_restores_the_policy_exactly() -> None:
    """Conditions come back from the settings alone."""
    before = policy()
    taken = {key: (value, None) for key, value in state(before).items()}
    back = amend(amend(before, taken), {key: (None, value) for key, (value, _) in taken.items()})

    assert grants(back) == grants(before)
    assert {one.condition.title for one in back.bindings} == {"", "until | spring"}


def test_giving_what_is_there_changes_nothing() -> None:
    """A grant is not listed twice."""
    before = policy()
    after = amend(before, {key: (None, value) for key, value in state(before).items()})

    assert sorted(str(one) for one in after.bindings) == sorted(str(one) for one in before.bindings)


@pytest.mark.parametrize(("etag", "fault"), [("moved", Drifted), ("", Unsupported)])
def test_a_policy_under_another_etag_or_none_is_not_written(etag: str, fault: type[Exception]) -> None:
    """An empty etag would overwrite blindly."""
    world = world_of()
    with Sandbox(world) as sandbox:
        services = CloudRunServices(sandbox.environment()["CLOUD_RUN_EMULATOR_HOST"])
        deadline = Deadline.after(5)
        seen = services.read(TARGET, deadline)
        callers = {key: value for key, value in seen.state.items() if key.startswith("service_iam.")}
        closed = Change(TARGET, "service_iam", callers, dict.fromkeys(callers), {}, ("x",))
        world.service("checkout").policy_etag = etag.encode()
        with pytest.raises(fault):
            services.access.write(closed, seen, deadline)

        assert sandbox.wire.calls_to("*/SetIamPolicy") == ()
