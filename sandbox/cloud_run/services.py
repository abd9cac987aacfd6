"""A local Cloud Run Admin API v2, as strict as Google's where containment could go wrong."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import grpc
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.longrunning import operations_pb2

from sandbox.cloud_run.listing import below, page
from sandbox.cloud_run.local_operation import LocalOperation
from sandbox.cloud_run.local_service import LocalService
from sandbox.cloud_run.spelling import respelled
from sandbox.cloud_run.updates import apply, validate
from sandbox.google.service_accounts import refuse_disabled
from sandbox.policies import get_policy, set_policy
from sandbox.wire import Refusal, Wire, generic_handler
from sandbox.world import World

SERVICES = "google.cloud.run.v2.Services"
REVISIONS = "google.cloud.run.v2.Revisions"
OPERATIONS = "google.longrunning.Operations"


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """Services, Revisions and the operations they start."""
    services: dict[str, tuple[Any, Any, Callable[[Any], Any]]] = {
        "GetService": (run_v2.GetServiceRequest, run_v2.Service, partial(_get_service, world)),
        "ListServices": (run_v2.ListServicesRequest, run_v2.ListServicesResponse, partial(_list_services, world)),
        "UpdateService": (run_v2.UpdateServiceRequest, operations_pb2.Operation, partial(_update_service, world)),
        "GetIamPolicy": (
            iam_policy_pb2.GetIamPolicyRequest,
            policy_pb2.Policy,
            lambda request: get_policy(_found(world, request.resource), request),
        ),
        "SetIamPolicy": (
            iam_policy_pb2.SetIamPolicyRequest,
            policy_pb2.Policy,
            lambda request: set_policy(
                _found(world, request.resource), request, admits_public=world.admits_public_members
            ),
        ),
    }
    revisions: dict[str, tuple[Any, Any, Callable[[Any], Any]]] = {
        "GetRevision": (run_v2.GetRevisionRequest, run_v2.Revision, partial(_get_revision, world)),
        "ListRevisions": (run_v2.ListRevisionsRequest, run_v2.ListRevisionsResponse, partial(_list_revisions, world)),
    }
    operations: dict[str, tuple[Any, Any, Callable[[Any], Any]]] = {
        "GetOperation": (
            operations_pb2.GetOperationRequest,
            operations_pb2.Operation,
            lambda request: _get_operation(world, request.name),
        ),
    }
    return [
        generic_handler(SERVICES, _Guarded(world, wire, SERVICES), services),
        generic_handler(REVISIONS, _Guarded(world, wire, REVISIONS), revisions),
        generic_handler(OPERATIONS, _Guarded(world, wire, ""), operations),
    ]


class _Guarded(Wire):
    """The same wire, behind permissions and the routing header that Cloud Run needs to find the region."""

    def __init__(self, world: World, wire: Wire, routed: str) -> None:
        self._world, self._wire, self._routed = world, wire, routed

    def serve(
        self,
        method: str,
        request: Any,  # noqa: ANN401
        metadata: Any,  # noqa: ANN401
        answer: Callable[[], Any],
        gone: threading.Event | None = None,
    ) -> Any:  # noqa: ANN401
        """Journal first, so that a refused call is seen; then refuse or answer under the world's lock."""

        def guarded() -> Any:  # noqa: ANN401 - whatever the handler answers
            if any(fnmatch.fnmatchcase(method, glob) for glob in self._world.denied):
                _refuse("PERMISSION_DENIED", f"Permission denied on {method}")
            if self._routed and "location" not in metadata.get("x-goog-request-params", ""):
                _refuse("NOT_FOUND", "Requested entity was not found: no location in the routing header.")
            with self._world.lock:
                return respelled(self._world, request, answer())

        return self._wire.serve(method, request, metadata, guarded, gone)


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)


def _found(world: World, name: str) -> LocalService:
    local = world.find(name)
    if local is None:
        _refuse("NOT_FOUND", f"Resource '{name.rpartition('/')[2]}' of kind 'SERVICE' does not exist.")
    return local


def _get_service(world: World, request: run_v2.GetServiceRequest) -> run_v2.Service:
    return run_v2.Service(_found(world, request.name).service)


def _list_services(world: World, request: run_v2.ListServicesRequest) -> run_v2.ListServicesResponse:
    world.settle_operations()
    found, token = page(below(world, world.services, request.parent, "services"), request.page_size, request.page_token)
    return run_v2.ListServicesResponse(services=[one.service for one in found], next_page_token=token)


def _revisions_of(world: World, parent: str) -> list[run_v2.Revision]:
    """A service's or a worker pool's, oldest first."""
    if "/workerPools/" not in parent:
        return _found(world, parent).revisions
    pool = world.pools.get(world.canonical(parent))
    if pool is None:
        _refuse("NOT_FOUND", f"Resource '{parent.rpartition('/')[2]}' of kind 'WORKER_POOL' does not exist.")
    return pool.revisions


def _get_revision(world: World, request: run_v2.GetRevisionRequest) -> run_v2.Revision:
    for one in _revisions_of(world, request.name.partition("/revisions/")[0]):
        if one.name.rpartition("/")[2] == request.name.rpartition("/")[2]:
            return one
    _refuse("NOT_FOUND", f"Resource '{request.name.rpartition('/')[2]}' of kind 'REVISION' does not exist.")


def _list_revisions(world: World, request: run_v2.ListRevisionsRequest) -> run_v2.ListRevisionsResponse:
    """Newest first, in pages."""
    if request.parent.endswith("/services/-"):
        world.settle_operations()
        location = world.canonical(request.parent).removesuffix("-")
        found = [one for name, local in world.services.items() if name.startswith(location) for one in local.revisions]
    else:
        found = list(_revisions_of(world, request.parent))
    newest_first = sorted(found, key=lambda one: run_v2.Revision.pb(one).create_time.ToNanoseconds(), reverse=True)
    shown, token = page(newest_first, request.page_size, request.page_token)
    return run_v2.ListRevisionsResponse(revisions=shown, next_page_token=token)


def _update_service(world: World, request: run_v2.UpdateServiceRequest) -> operations_pb2.Operation:
    """A write is accepted or refused as a whole; its effect comes with its operation."""
    local = _found(world, request.service.name)
    if request.service.etag and request.service.etag != local.service.etag:
        _refuse("ABORTED", "Conflict for resource: the etag does not match the latest one.")
    paths = list(request.update_mask.paths)
    validate(world, local, request.service, paths)
    refuse_disabled(world, local.service.template.service_account)
    if request.validate_only:
        return _validated(local, world.canonical(request.service.name))
    apply(world, local, request.service, paths)
    local.service.last_modifier = "firebreak@firebreak.example"
    world.stamp(local)
    return world.begin(request.service.name, local).message


def _validated(local: LocalService, name: str) -> operations_pb2.Operation:
    done = operations_pb2.Operation(name="", done=True)
    done.response.Pack(run_v2.Service.pb(local.service))
    done.metadata.Pack(run_v2.Service.pb(run_v2.Service(name=name)))
    return done


def _get_operation(world: World, name: str) -> operations_pb2.Operation:
    world.settle_operations()
    operation: LocalOperation | None = world.operations.get(world.canonical(name))
    if operation is None:
        _refuse("NOT_FOUND", "Requested entity was not found: operation.")
    return operation.message
