"""Jobs: their executions, which can be cancelled, and who may run them. A job itself is never updated."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from types import MappingProxyType
from typing import Any

from google.cloud.run_v2 import types as run_v2
from google.cloud.run_v2.services.executions import ExecutionsClient
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.run_v2.services.jobs import JobsClient
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport

from firebreak.adapters.cloud_run.access import JobAccess
from firebreak.adapters.cloud_run.revisions import digest_of, nanos, short
from firebreak.adapters.google.calls import call_read, call_write, client_of, pages_of
from firebreak.adapters.google.iam_policies import etag_of, policy_state, read_policy
from firebreak.adapters.google.operations import raise_if_failed, wait_for
from firebreak.adapters.google.originals import message_json, policy_json
from firebreak.core.cloud_run.iam_grants import may_reach
from firebreak.core.cloud_run.setting_names import CANCELLED, EXECUTION, RUNNING, is_final
from firebreak.core.cloud_run.state import Setting
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload
from firebreak.core.containment.plan import Change
from firebreak.core.errors import Refused, Transient, Unsupported
from firebreak.ports.deadline import Deadline

_MOST = 1000
_MOST_ENDED = 50
_CANCELLING = frozenset({run_v2.Condition.ExecutionReason.CANCELLING, run_v2.Condition.ExecutionReason.CANCELLED})


class Jobs:
    """Reads jobs, and is the surface `executions`."""

    permissions = frozenset(
        {
            "run.jobs.get",
            "run.executions.list",
            "run.jobs.getIamPolicy",
            "run.executions.cancel",
            "run.operations.get",
        }
    )

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local Cloud Run, or None for Google's."""
        self._emulator = emulator
        self.access = JobAccess(lambda: self.client)

    @cached_property
    def client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        """Google's client of jobs; made on first use, after any fork."""
        return client_of(JobsClient, JobsGrpcTransport, self._emulator)

    @cached_property
    def _executions(self) -> Any:  # noqa: ANN401
        return client_of(ExecutionsClient, ExecutionsGrpcTransport, self._emulator)

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The job with its executions and IAM policy; raises Missing, Denied or Transient."""
        name = target.resource
        with ThreadPoolExecutor(max_workers=3, thread_name_prefix="cloud-run") as pool:
            job = pool.submit(call_read, self.client.get_job, deadline, name=name)
            executions = pool.submit(self._list, name, deadline)
            policy = pool.submit(self._policy, name, deadline)
            found, last = executions.result(), short(job.result().latest_created_execution.name)
            # It ran a moment ago: asked for once more before it counts as gone.
            if not {target.execution or last} & {None, "", *(short(one.name) for one in found)}:
                found = self._list(name, deadline)
            return job_of(target, job.result(), found, policy.result())

    def _list(self, parent: str, deadline: Deadline) -> list[run_v2.Execution]:
        request = run_v2.ListExecutionsRequest(parent=parent, page_size=100)
        found: list[run_v2.Execution] = []
        for page in pages_of(self._executions.list_executions, deadline, request):
            found += page.executions
            if len(found) >= _MOST:
                break
        return found

    def _policy(self, resource: str, deadline: Deadline) -> Any:  # noqa: ANN401 - google.iam.v1 Policy, or why not
        try:
            return read_policy(self.client.get_iam_policy, resource, deadline)
        except (Refused, Transient) as fault:
            return fault

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Cancel the executions that the change names; returns the operations' names, separated by blanks.

        No etag is sent: it changes with every task, and a cancellation overwrites nobody's setting. A job itself is
        never updated: UpdateJobRequest has no update mask (run_v2.UpdateJobRequest docstring), so it replaces the job.
        """
        if any(value != CANCELLED for value in change.after.values()):
            message = "a cancelled run cannot be resumed"
            raise Unsupported(message)
        names = [f"{workload.target.resource}/executions/{key.removeprefix(EXECUTION)}" for key in sorted(change.after)]
        begun = []
        for number, name in enumerate(names):
            # Runs have no etag: each is looked at directly before, the first one by the reading.
            if not number or name in {
                one.name for one in self._list(workload.target.resource, deadline) if not _ended(one)
            }:
                begun.append(self._cancel(name, deadline))
        return " ".join(operation for operation in begun if operation)

    def _cancel(self, name: str, deadline: Deadline) -> str:
        """Returns an empty text for an execution that ended by itself meanwhile: the next reading decides."""
        try:
            operation = call_write(self._executions.cancel_execution, deadline, request={"name": name}).operation
        except Unsupported:
            return ""
        if operation.done:
            raise_if_failed(operation)
        return str(operation.name)

    def wait(self, operation: str, deadline: Deadline) -> None:
        """Until all of them have ended; raises Failed, or Unfinished at the deadline."""
        for one in operation.split():
            wait_for(self._executions.get_operation, one, deadline)

    def in_force(self, workload: Workload, change: Change) -> bool:
        """Whether what was cancelled runs no task any more."""
        return not any(workload.effective.get(key.removeprefix(EXECUTION)) for key in change.after if is_final(key))


def job_of(
    target: Target,
    job: run_v2.Job,
    executions: list[run_v2.Execution],
    policy: Any,  # noqa: ANN401 - google.iam.v1 Policy, which has no stubs; or the fault that says why there is none
) -> Workload:
    """The job with all executions that run and the newest that have ended."""
    unread = {"job_iam": str(policy)} if isinstance(policy, Exception) else {}
    access = {} if unread else policy_state(policy, "job_iam", _can_run)
    newest = sorted(executions, key=lambda one: nanos(one.create_time), reverse=True)
    kept = [one for one in newest if not _ended(one)] + [one for one in newest if _ended(one)][:_MOST_ENDED]
    return Workload(
        target=target,
        state=MappingProxyType(_state(kept) | access),
        etags=MappingProxyType({} if unread else {"job_iam": etag_of(policy)}),
        revisions=tuple(_execution(one) for one in kept),
        latest=None,
        effective=MappingProxyType({short(one.name): 100 for one in kept if not _ended(one)}),
        effective_tags=MappingProxyType({}),
        settled=all(_ended(one) for one in kept if _word(one) == CANCELLED),
        created_ns=nanos(job.create_time),
        updated_ns=nanos(job.update_time),
        last_modifier=job.last_modifier,
        labels=MappingProxyType(dict(job.labels)),
        service_account=job.template.template.service_account,
        invokers=None
        if unread
        else frozenset(member for binding in policy.bindings if may_reach(binding.role) for member in binding.members),
        unread=MappingProxyType(unread),
        away=frozenset(unread) if isinstance(policy, Transient) else frozenset(),
        uid=job.uid,
        originals=lambda: {
            "job": message_json(job),
            "executions": [message_json(one) for one in kept],
            **policy_json(policy),
        },
    )


def _can_run(role: str, member: str) -> bool:
    """Whether the member may run the job; a deleted member cannot, and its grant could not be given back."""
    return may_reach(role) and not member.startswith("deleted:")


def _state(executions: list[run_v2.Execution]) -> dict[str, Setting]:
    words = {short(one.name): _word(one) for one in executions}
    return {f"{EXECUTION}{name}": word for name, word in words.items() if word}


def _word(execution: run_v2.Execution) -> str | None:
    """`running`, or `cancelled` from the moment somebody asked for it; a run that ended by itself is no setting."""
    if execution.cancelled_count or any(one.execution_reason in _CANCELLING for one in execution.conditions):
        return CANCELLED
    return None if _ended(execution) else RUNNING


def _ended(execution: run_v2.Execution) -> bool:
    return bool(nanos(execution.completion_time))


def _execution(execution: run_v2.Execution) -> Revision:
    images = [digest_of(one.image) for one in execution.template.containers]
    return Revision(
        name=short(execution.name),
        created_ns=nanos(execution.create_time),
        fault=None,
        gen1=False,
        digests=frozenset(filter(None, images)),
        service_account=execution.template.service_account,
        by_tag=None in images,
        creator=execution.creator,
    )
