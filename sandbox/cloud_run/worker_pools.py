"""The worker pools of a local Cloud Run: read, listed, and updated under mask and etag."""

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

import grpc
from google.cloud import run_v2
from google.longrunning import operations_pb2

from sandbox.cloud_run.admission import admitted
from sandbox.cloud_run.listing import below, page
from sandbox.cloud_run.local_pool import LocalPool
from sandbox.cloud_run.updates import copy_field
from sandbox.google.service_accounts import refuse_disabled
from sandbox.wire import Refusal, Wire, generic_handler
from sandbox.world import World

SERVICE = "google.cloud.run.v2.WorkerPools"
_WRITABLE = frozenset(
    "description labels annotations client client_version launch_stage binary_authorization template instance_splits"
    " scaling".split()
)
_LATEST = run_v2.InstanceSplitAllocationType.INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """Reading, listing and updating; pools are made and deleted by others."""
    methods = {
        "GetWorkerPool": (run_v2.GetWorkerPoolRequest, run_v2.WorkerPool, partial(_get, world)),
        "ListWorkerPools": (run_v2.ListWorkerPoolsRequest, run_v2.ListWorkerPoolsResponse, partial(_list, world)),
        "UpdateWorkerPool": (run_v2.UpdateWorkerPoolRequest, operations_pb2.Operation, partial(_update, world)),
    }
    return [generic_handler(SERVICE, wire, admitted(world, SERVICE, methods))]


def _get(world: World, request: run_v2.GetWorkerPoolRequest) -> run_v2.WorkerPool:
    return run_v2.WorkerPool(_found(world, request.name).pool)


def _list(world: World, request: run_v2.ListWorkerPoolsRequest) -> run_v2.ListWorkerPoolsResponse:
    world.settle_operations()
    found, token = page(below(world, world.pools, request.parent, "workerPools"), request.page_size, request.page_token)
    return run_v2.ListWorkerPoolsResponse(worker_pools=[one.pool for one in found], next_page_token=token)


def _update(world: World, request: run_v2.UpdateWorkerPoolRequest) -> operations_pb2.Operation:
    """A write is accepted or refused as a whole; its effect comes with its operation."""
    local = _found(world, request.worker_pool.name)
    if request.worker_pool.etag and request.worker_pool.etag != local.pool.etag:
        _refuse("ABORTED", "Conflict for resource: the etag does not match the latest one.")
    paths = list(request.update_mask.paths)
    _validate(local, request.worker_pool, paths)
    refuse_disabled(world, local.pool.template.service_account)
    if request.validate_only:
        done = operations_pb2.Operation(done=True)
        done.response.Pack(run_v2.WorkerPool.pb(local.pool))
        return done
    for path in paths:
        copy_field(run_v2.WorkerPool.pb(local.pool), run_v2.WorkerPool.pb(request.worker_pool), path.split("."))
    if not local.pool.instance_splits:
        # What Cloud Run makes of an empty list: everything to the latest revision.
        local.pool.instance_splits = [run_v2.InstanceSplit(type_=_LATEST, percent=100)]
    local.pool.last_modifier = "firebreak@firebreak.example"
    world.stamp(local)
    return world.begin(request.worker_pool.name, local).message


def _validate(local: LocalPool, wanted: run_v2.WorkerPool, paths: list[str]) -> None:
    if not paths or any(path.partition(".")[0] == "template" for path in paths):
        name = local.revisions[-1].name.rpartition("/")[2]
        _refuse("ALREADY_EXISTS", f"Revision named '{name}' with different configuration already exists.")
    for path in paths:
        if path.partition(".")[0] not in _WRITABLE or not _leads_somewhere(path):
            _refuse("INVALID_ARGUMENT", f"Invalid field mask: '{path}' is not a field that can be updated.")
    if "instance_splits" in paths and wanted.instance_splits:
        shares = [one.percent for one in wanted.instance_splits]
        if sum(shares) != 100 or min(shares) < 0:  # noqa: PLR2004 - percent
            _refuse("INVALID_ARGUMENT", "The percentages of the instance splits must total 100.")
        if any(bool(one.revision) == (one.type_ == _LATEST) or "/" in one.revision for one in wanted.instance_splits):
            _refuse("INVALID_ARGUMENT", "A REVISION split takes the revision's short name, a LATEST one none.")
    if wanted.scaling.manual_instance_count < 0:
        _refuse("INVALID_ARGUMENT", "An instance count is not negative.")


def _leads_somewhere(path: str) -> bool:
    message: Any = run_v2.WorkerPool.pb().DESCRIPTOR
    for name in path.split("."):
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None:
            return False
        message = None if field.is_repeated else field.message_type
    return True


def _found(world: World, name: str) -> LocalPool:
    world.settle_operations()
    local = world.pools.get(world.canonical(name))
    if local is None:
        _refuse("NOT_FOUND", f"Resource '{name.rpartition('/')[2]}' of kind 'WORKER_POOL' does not exist.")
    return local


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)
