"""What Google's long-running API offers beside GetOperation: waiting for an operation, and listing a location's."""

from __future__ import annotations

import fnmatch
import time
from functools import partial

import grpc
from google.longrunning import operations_pb2

from sandbox.cloud_run.local_operation import LocalOperation
from sandbox.wire import Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.longrunning.Operations"
LONGEST_WAIT = 30.0
"""Seconds after which a wait answers with what is, done or not."""
_PAGE = 2
_PAUSE = 0.01


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """WaitOperation and ListOperations; a server may have them beside GetOperation."""
    return [
        generic_handler(
            SERVICE,
            wire,
            {
                "WaitOperation": (
                    operations_pb2.WaitOperationRequest,
                    operations_pb2.Operation,
                    partial(wait_operation, world),
                ),
                "ListOperations": (
                    operations_pb2.ListOperationsRequest,
                    operations_pb2.ListOperationsResponse,
                    partial(list_operations, world),
                ),
            },
        )
    ]


def wait_operation(world: World, request: operations_pb2.WaitOperationRequest) -> operations_pb2.Operation:
    """The operation once it is over, or as it is when the time asked for has passed."""
    _admit(world, "WaitOperation")
    asked = request.timeout.ToNanoseconds() / 1e9 if request.HasField("timeout") else LONGEST_WAIT
    until = time.monotonic() + min(asked, LONGEST_WAIT)
    while True:
        # Outside the lock between looks: others write while this one waits.
        with world.lock:
            operation = _settled(world, request.name)
            if operation.done or time.monotonic() >= until:
                return operation.message
        time.sleep(_PAUSE)


def list_operations(
    world: World, request: operations_pb2.ListOperationsRequest
) -> operations_pb2.ListOperationsResponse:
    """A location's operations in pages, in the order in which they began."""
    _admit(world, "ListOperations")
    with world.lock:
        world.settle_operations()
        parent = f"{world.canonical(request.name)}/operations/"
        names = [name for name in world.operations if name.startswith(parent)]
        start = names.index(request.page_token) if request.page_token in names else 0
        if request.page_token and request.page_token not in names:
            code, message = "INVALID_ARGUMENT", "The page token is not one of this list."
            raise Refusal(code, message)
        end = start + min(request.page_size or _PAGE, _PAGE)
        return operations_pb2.ListOperationsResponse(
            operations=[world.operations[name].message for name in names[start:end]],
            next_page_token=names[end] if end < len(names) else "",
        )


def _settled(world: World, name: str) -> LocalOperation:
    world.settle_operations()
    operation = world.operations.get(world.canonical(name))
    if operation is None:
        code, message = "NOT_FOUND", f"Requested entity was not found: {name}"
        raise Refusal(code, message)
    return operation


def _admit(world: World, method: str) -> None:
    """A wait must not hold the world's lock, so it does not go through what holds it."""
    if any(fnmatch.fnmatchcase(f"{SERVICE}/{method}", glob) for glob in world.denied):
        code, message = "PERMISSION_DENIED", "Permission 'run.operations.get' denied on the operation."
        raise Refusal(code, message)
