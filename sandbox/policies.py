"""IAM policies of local resources, as strict as Google's: versions, conditions, etags, members."""

from __future__ import annotations

import itertools
import re
from typing import Any, NoReturn, Protocol

from google.iam.v1 import iam_policy_pb2, policy_pb2

from sandbox.wire import Refusal

_MEMBER = re.compile(
    r"allUsers$|allAuthenticatedUsers$|(user|group|serviceAccount|domain|deleted|projectOwner|projectEditor|projectViewer"
    r"|principal|principalSet):."
)

_versions = itertools.count(1, 1000)


def first_version() -> int:
    """The version of a policy that nobody has set yet: what is made anew has not the etag of the one before."""
    return next(_versions)


class HasPolicy(Protocol):
    """A resource with a policy; `policy_etag` takes the place of the policy's own."""

    policy: Any
    policy_version: int
    policy_etag: bytes | None


def get_policy(local: HasPolicy, request: iam_policy_pb2.GetIamPolicyRequest) -> policy_pb2.Policy:
    """Below version 3 conditions are hidden and their roles mangled, as the real API does."""
    if request.options.requested_policy_version not in (0, 1, 3):
        _refuse("INVALID_ARGUMENT", "The requested policy version is none of 0, 1 and 3.")
    answer = policy_pb2.Policy()
    answer.CopyFrom(local.policy)
    answer.etag = str(local.policy_version).encode() if local.policy_etag is None else local.policy_etag
    if request.options.requested_policy_version < 3:  # noqa: PLR2004 - the version that has conditions
        for binding in answer.bindings:
            if binding.HasField("condition"):
                binding.role += f"_withcond_{abs(hash(binding.condition.expression)):x}"
                binding.ClearField("condition")
        answer.version = 1
    return answer


def set_policy(
    local: HasPolicy, request: iam_policy_pb2.SetIamPolicyRequest, *, admits_public: bool = True
) -> policy_pb2.Policy:
    """An empty etag overwrites blindly; another than the present one is refused.

    Where the organization does not admit public members none can be added; who was there before may stay.
    """
    if request.policy.etag and request.policy.etag != str(local.policy_version).encode():
        _refuse("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write.")
    version = request.policy.version
    for binding in request.policy.bindings:
        if binding.HasField("condition") and version < 3:  # noqa: PLR2004 - the version that has conditions
            _refuse("INVALID_ARGUMENT", "A policy with conditions has to have version 3.")
        if unknown := [one for one in binding.members if not _MEMBER.match(one)]:
            _refuse("INVALID_ARGUMENT", f"The member {unknown[0]} is of an unknown type.")
    if not admits_public and _public(request.policy) - _public(local.policy):
        _refuse("FAILED_PRECONDITION", "One or more users named in the policy do not belong to a permitted customer.")
    local.policy.CopyFrom(request.policy)
    local.policy_version += 1
    again = iam_policy_pb2.GetIamPolicyRequest(
        resource=request.resource, options={"requested_policy_version": min(version, 3)}
    )
    return get_policy(local, again)


def _public(policy: policy_pb2.Policy) -> set[tuple[str, str, str]]:
    """Role, condition and member of what is granted to people of no organization."""
    return {
        (binding.role, binding.condition.expression, member)
        for binding in policy.bindings
        for member in binding.members
        if member in ("allUsers", "allAuthenticatedUsers")
    }


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)
