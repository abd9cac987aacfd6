"""Resources that the world holds in Google's JSON, shown as the messages of Google's own clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
from google.cloud import iam_admin_v1
from google.cloud.securitycenter_v2 import types as scc
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.pubsub_v1 import types as pubsub

from sandbox.cloud_run.admission import admitted, is_denied
from sandbox.wire import Methods, Refusal, Wire, generic_handler
from sandbox.world import World

SUBSCRIBER, POLICY = "google.pubsub.v1.Subscriber", "google.iam.v1.IAMPolicy"


def subscriber_handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """Subscriptions, and who may do what with them and with topics."""
    shown = partial(_shown, world, "pubsub.googleapis.com", pubsub.Subscription)
    methods: Methods = {
        "GetSubscription": (
            pubsub.GetSubscriptionRequest,
            pubsub.Subscription,
            lambda request: shown(request.subscription),
        )
    }
    tested: Methods = {
        "TestIamPermissions": (
            iam_policy_pb2.TestIamPermissionsRequest,
            iam_policy_pb2.TestIamPermissionsResponse,
            partial(_tested, world),
        ),
        "GetIamPolicy": (
            iam_policy_pb2.GetIamPolicyRequest,
            policy_pb2.Policy,
            lambda request: policy(world, f"//pubsub.googleapis.com/{request.resource}"),
        ),
    }
    return [
        generic_handler(SUBSCRIBER, wire, admitted(world, SUBSCRIBER, methods)),
        generic_handler(POLICY, wire, admitted(world, POLICY, tested)),
    ]


def notification_configs(world: World) -> Methods:
    """The deliveries of findings, for the service that has the findings too."""
    shown = partial(_shown, world, "securitycenter.googleapis.com", scc.NotificationConfig)
    return {
        "GetNotificationConfig": (
            scc.GetNotificationConfigRequest,
            scc.NotificationConfig,
            lambda request: shown(request.name),
        )
    }


def roles(world: World) -> Methods:
    """Custom roles, for the service that has the service accounts too."""
    shown = partial(_shown, world, "iam.googleapis.com", iam_admin_v1.Role)
    return {"GetRole": (iam_admin_v1.GetRoleRequest, iam_admin_v1.Role, lambda request: shown(request.name))}


def held(world: World, permissions: Any) -> list[str]:  # noqa: ANN401 - a repeated field, or JSON
    """Those of the permissions that the world does not deny by their own name."""
    return [str(one) for one in permissions if not is_denied(world, str(one))]


def _tested(
    world: World, request: iam_policy_pb2.TestIamPermissionsRequest
) -> iam_policy_pb2.TestIamPermissionsResponse:
    policy(world, f"//pubsub.googleapis.com/{request.resource}")
    return iam_policy_pb2.TestIamPermissionsResponse(permissions=held(world, request.permissions))


def policy(world: World, name: str) -> policy_pb2.Policy:
    """The policy of a topic or a subscription that is there; it has an etag also where nobody is in it."""
    if name not in world.resources and name.removeprefix("//pubsub.googleapis.com/") not in world.topics:
        found(world, name)
    bindings = [policy_pb2.Binding(**one) for one in world.bindings.get(name, ())]
    return policy_pb2.Policy(version=1, etag=b"BwX", bindings=bindings)


def _shown(world: World, service: str, kind: Any, name: str) -> Any:  # noqa: ANN401 - a message of that kind
    read: Callable[..., Any] = kind.from_json
    return read(json.dumps(found(world, f"//{service}/{name}")))


def found(world: World, name: str) -> dict[str, Any]:
    """The resource of that full name; refused as Google does where there is none."""
    if name not in world.resources:
        code, message = "NOT_FOUND", f"Resource not found: {name.rpartition('/')[2]}"
        raise Refusal(code, message)
    return world.resources[name]
