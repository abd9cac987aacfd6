"""Deleting a revision of a local service, refused wherever Cloud Run refuses it."""

from __future__ import annotations

import uuid
from functools import partial
from typing import NoReturn

import grpc
from google.cloud import run_v2
from google.longrunning import operations_pb2

from sandbox.cloud_run.admission import admitted
from sandbox.wire import Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.cloud.run.v2.Revisions"


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """DeleteRevision alone; a server may have it beside the reading methods."""
    methods = {
        "DeleteRevision": (run_v2.DeleteRevisionRequest, operations_pb2.Operation, partial(delete_revision, world))
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]


def delete_revision(world: World, request: run_v2.DeleteRevisionRequest) -> operations_pb2.Operation:
    """Only a retired revision goes, and for good; the operation is over when it is answered."""
    service, _, short = request.name.partition("/revisions/")
    local = world.find(service)
    found = next((one for one in local.revisions if _short(one.name) == short), None) if local else None
    if local is None or found is None:
        _refuse("NOT_FOUND", f"Resource '{short}' of kind 'REVISION' does not exist.")
    if request.etag and request.etag != found.etag:
        _refuse("ABORTED", f"Conflict for resource '{short}': the etag does not match the latest one.")
    if reason := local.why_kept(short):
        _refuse("FAILED_PRECONDITION", f"Revision '{short}' cannot be deleted: {reason}")
    if not request.validate_only:
        world.delete(request.name)
    parts = world.canonical(service).split("/")
    answer = operations_pb2.Operation(
        name=f"projects/{parts[1]}/locations/{parts[3]}/operations/{uuid.uuid4()}", done=True
    )
    answer.metadata.Pack(run_v2.Revision.pb(found))
    answer.response.Pack(run_v2.Revision.pb(found))
    return answer


def _short(name: str) -> str:
    return name.rpartition("/")[2]


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)
