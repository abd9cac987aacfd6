"""IAM policies, read as settings and written by (role, condition): what is not named is never touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from firebreak.adapters.google.calls import call_read, call_write
from firebreak.core.cloud_run.iam_grants import Grant, read_grant
from firebreak.core.cloud_run.state import Setting
from firebreak.core.errors import Drifted, Unsupported
from firebreak.ports.deadline import Deadline

_VERSION = 3
"""The policy version that has conditions: a lower one hides them on reading, and writing it back destroys them."""

Call = Callable[..., Any]


def read_policy(get: Call, resource: str, deadline: Deadline) -> Any:  # noqa: ANN401 - google.iam.v1 Policy
    """The resource's own policy with its conditions; raises Missing, Denied or Transient.

    It holds nothing that is inherited from the project, its folders or the organization (GetIamPolicy docstring).
    """
    request = {"resource": resource, "options": {"requested_policy_version": _VERSION}}
    policy = call_read(get, deadline, request=request)
    # A policy that grants nothing has an etag all the same: what has neither is asked for once more.
    return policy if policy.etag or policy.bindings else call_read(get, deadline, request=request)


def policy_state(policy: Any, surface: str, wanted: Callable[[str, str], bool], region: str = "") -> dict[str, Setting]:  # noqa: ANN401
    """The grants for which `wanted(role, member)` is true, as settings of that surface."""
    grants = (
        Grant(binding.role, member, _json(binding), binding.condition.title, region)
        for binding in policy.bindings
        for member in binding.members
        if wanted(binding.role, member)
    )
    return {grant.key(surface): grant.value for grant in grants}


def write_policy(
    get: Call,
    set_: Call,
    resource: str,
    etag: str,
    changed: Mapping[str, tuple[Setting | None, Setting | None]],
    deadline: Deadline,
) -> None:
    """Give and take exactly the grants in `changed` (setting key to its value before and after).

    A policy without an etag is refused, because setting one overwrites whatever is there. Raises Drifted if the policy
    no longer has this etag, Unsupported without one, else Missing, Denied or Transient.
    """
    policy = read_policy(get, resource, deadline)
    if not policy.etag:
        message = f"the IAM policy of {resource} came without an etag; Firebreak does not overwrite it"
        raise Unsupported(message)
    if etag_of(policy) != etag:
        message = "the IAM policy was changed since it was read"
        raise Drifted(message)
    request = {"resource": resource, "policy": amend(policy, changed)}
    call_write(set_, deadline, request=request)


def amend(policy: Any, changed: Mapping[str, tuple[Setting | None, Setting | None]]) -> Any:  # noqa: ANN401
    """A copy of the policy with these grants given or taken; a binding without members is dropped."""
    copy = type(policy)()
    copy.CopyFrom(policy)
    copy.version = _VERSION
    for key, (before, after) in changed.items():
        if before is not None:
            _take(copy, read_grant(key, before))
        if after is not None:
            _give(copy, read_grant(key, after))
    kept = [binding for binding in copy.bindings if binding.members]
    del copy.bindings[:]
    copy.bindings.extend(kept)
    return copy


def etag_of(policy: Any) -> str:  # noqa: ANN401
    """The policy's etag as text, byte for byte."""
    return str(policy.etag.decode("latin-1"))


def _take(policy: Any, grant: Grant) -> None:  # noqa: ANN401
    for binding in _bindings(policy, grant):
        kept = [member for member in binding.members if member != grant.member]
        del binding.members[:]
        binding.members.extend(kept)


def _give(policy: Any, grant: Grant) -> None:  # noqa: ANN401
    found = _bindings(policy, grant)
    if any(grant.member in binding.members for binding in found):
        return
    binding = found[0] if found else policy.bindings.add(role=grant.role)
    binding.members.append(grant.member)
    for part, text in json.loads(grant.condition or "{}").items():
        setattr(binding.condition, part, text)


def _bindings(policy: Any, grant: Grant) -> list[Any]:  # noqa: ANN401
    return [one for one in policy.bindings if one.role == grant.role and _json(one) == grant.condition]


def _json(binding: Any) -> str:  # noqa: ANN401
    """The binding's condition as canonical JSON, empty where there is none."""
    if not binding.HasField("condition"):
        return ""
    one = binding.condition
    parts = {
        "title": one.title,
        "description": one.description,
        "expression": one.expression,
        "location": one.location,
    }
    return json.dumps({key: text for key, text in parts.items() if text}, sort_keys=True)
