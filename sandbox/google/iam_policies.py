"""What the caller may do to a service: TestIamPermissions, answered from what the world denies."""

from __future__ import annotations

import fnmatch
import re
from functools import partial

import grpc
from google.iam.v1 import iam_policy_pb2

from sandbox.cloud_run.admission import admitted
from sandbox.wire import Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.cloud.run.v2.Services"
_PERMISSION = re.compile(r"run\.(services|revisions|routes|operations|locations)\.[a-z][A-Za-z]+")


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """TestIamPermissions alone; a server may have it beside the other methods of the service."""
    methods = {
        "TestIamPermissions": (
            iam_policy_pb2.TestIamPermissionsRequest,
            iam_policy_pb2.TestIamPermissionsResponse,
            partial(permitted, world),
        )
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]


def permitted(
    world: World, request: iam_policy_pb2.TestIamPermissionsRequest
) -> iam_policy_pb2.TestIamPermissionsResponse:
    """Those of the permissions asked about that the world does not deny; it needs no permission itself.

    Denied is a permission whose method is (`run.services.update` is `…Services/UpdateService`).
    """
    for permission in request.permissions:
        if not _PERMISSION.fullmatch(permission):
            _refuse("INVALID_ARGUMENT", f"Permission {permission} is not valid for this resource.")
    if world.find(request.resource) is None:
        _refuse("NOT_FOUND", f"Resource '{request.resource.rpartition('/')[2]}' of kind 'SERVICE' does not exist.")
    held = [one for one in request.permissions if not _denied(world, one)]
    return iam_policy_pb2.TestIamPermissionsResponse(permissions=held)


def method_of(permission: str) -> str:
    """The method that a permission opens, by its whole name."""
    _, collection, verb = permission.split(".")
    if collection == "operations":
        return f"google.longrunning.Operations/{verb.capitalize()}Operation"
    noun = collection.capitalize()
    if verb in ("getIamPolicy", "setIamPolicy"):
        return f"google.cloud.run.v2.{noun}/{verb[0].upper()}{verb[1:]}"
    return f"google.cloud.run.v2.{noun}/{verb.capitalize()}{noun if verb == 'list' else noun.removesuffix('s')}"


def _denied(world: World, permission: str) -> bool:
    return any(fnmatch.fnmatchcase(method_of(permission), glob) for glob in world.denied)


def _refuse(code: str, message: str) -> None:
    raise Refusal(code, message)
