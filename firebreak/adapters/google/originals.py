"""Google's messages in their own JSON, for the copies that are kept of what was read."""

from __future__ import annotations

from typing import Any


def message_json(message: Any) -> dict[str, Any]:  # noqa: ANN401 - any proto-plus message
    """The message as Google's REST API would show it."""
    return dict(
        type(message).to_dict(
            message,
            preserving_proto_field_name=False,
            use_integers_for_enums=False,
            always_print_fields_with_no_presence=False,
        )
    )


def policy_json(policy: Any) -> dict[str, Any]:  # noqa: ANN401 - google.iam.v1 Policy, or the fault why there is none
    """The policy under the name `iam_policy`; nothing where it could not be read."""
    if isinstance(policy, Exception):
        return {}
    bindings = []
    for one in policy.bindings:
        condition = {key: getattr(one.condition, key) for key in ("title", "description", "expression")}
        conditional = {"condition": condition} if one.HasField("condition") else {}
        bindings.append({"role": one.role, "members": list(one.members), **conditional})
    shown = {"version": policy.version, "etag": policy.etag.decode("latin-1"), "bindings": bindings}
    return {"iam_policy": shown}
