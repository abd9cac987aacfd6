"""The jobs of a local Cloud Run, their executions and policies. There is no UpdateJob: containment never calls it."""

from __future__ import annotations

from functools import partial
from typing import NoReturn

import grpc
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.longrunning import operations_pb2

from sandbox.cloud_run.admission import admitted
from sandbox.cloud_run.listing import below, page
from sandbox.cloud_run.local_job import LocalExecution, LocalJob
from sandbox.policies import get_policy, set_policy
from sandbox.wire import Methods, Refusal, Wire, generic_handler
from sandbox.world import World

JOBS = "google.cloud.run.v2.Jobs"
EXECUTIONS = "google.cloud.run.v2.Executions"


def handlers(world: World, wire: Wire) -> list[grpc.GenericRpcHandler]:
    """Jobs, executions, and the one thing that is done to them: cancelling."""
    jobs: Methods = {
        "GetJob": (run_v2.GetJobRequest, run_v2.Job, lambda request: run_v2.Job(_job(world, request.name).job)),
        "ListJobs": (run_v2.ListJobsRequest, run_v2.ListJobsResponse, partial(_list_jobs, world)),
        "GetIamPolicy": (
            iam_policy_pb2.GetIamPolicyRequest,
            policy_pb2.Policy,
            lambda request: get_policy(_job(world, request.resource), request),
        ),
        "SetIamPolicy": (
            iam_policy_pb2.SetIamPolicyRequest,
            policy_pb2.Policy,
            lambda request: set_policy(
                _job(world, request.resource), request, admits_public=world.admits_public_members
            ),
        ),
    }
    executions: Methods = {
        "GetExecution": (
            run_v2.GetExecutionRequest,
            run_v2.Execution,
            lambda request: run_v2.Execution(_execution(world, request.name).execution),
        ),
        "ListExecutions": (run_v2.ListExecutionsRequest, run_v2.ListExecutionsResponse, partial(_list, world)),
        "CancelExecution": (run_v2.CancelExecutionRequest, operations_pb2.Operation, partial(_cancel, world)),
    }
    return [
        generic_handler(JOBS, wire, admitted(world, JOBS, jobs)),
        generic_handler(EXECUTIONS, wire, admitted(world, EXECUTIONS, executions)),
    ]


def _list_jobs(world: World, request: run_v2.ListJobsRequest) -> run_v2.ListJobsResponse:
    found, token = page(below(world, world.jobs, request.parent, "jobs"), request.page_size, request.page_token)
    return run_v2.ListJobsResponse(jobs=[one.job for one in found], next_page_token=token)


def _list(world: World, request: run_v2.ListExecutionsRequest) -> run_v2.ListExecutionsResponse:
    """Newest first, in pages."""
    found = list(reversed([one.execution for one in _job(world, request.parent).executions.values()]))
    shown, token = page(found, request.page_size, request.page_token)
    return run_v2.ListExecutionsResponse(executions=shown, next_page_token=token)


def _cancel(world: World, request: run_v2.CancelExecutionRequest) -> operations_pb2.Operation:
    """Only what runs can be cancelled, and it does not resume."""
    local = _execution(world, request.name)
    if request.etag and request.etag != local.execution.etag:
        _refuse("ABORTED", "Conflict for resource: the etag does not match the latest one.")
    if run_v2.Execution.pb(local.execution).HasField("completion_time"):
        _refuse("FAILED_PRECONDITION", "The execution has already completed and cannot be cancelled.")
    if request.validate_only:
        return operations_pb2.Operation(done=True)
    local.cancelling()
    world.stamp(local)
    return world.begin(request.name, local).message


def _job(world: World, name: str) -> LocalJob:
    world.settle_operations()
    local = world.jobs.get(world.canonical(name))
    if local is None:
        _refuse("NOT_FOUND", f"Resource '{name.rpartition('/')[2]}' of kind 'JOB' does not exist.")
    return local


def _execution(world: World, name: str) -> LocalExecution:
    job, _, short = name.partition("/executions/")
    local = _job(world, job).executions.get(short)
    if local is None:
        _refuse("NOT_FOUND", f"Resource '{short}' of kind 'EXECUTION' does not exist.")
    return local


def _refuse(code: str, message: str) -> NoReturn:
    raise Refusal(code, message)
