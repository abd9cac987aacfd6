"""A job of a local world, its policy, and its executions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from google.rpc import status_pb2

from sandbox.policies import first_version

_REASON = run_v2.Condition.ExecutionReason


@dataclass
class LocalExecution:
    """One run: running, being cancelled, or ended."""

    execution: run_v2.Execution

    @property
    def resource(self) -> run_v2.Execution:
        """What an operation on it is about."""
        return self.execution

    def cancelling(self) -> None:
        """What a cancellation does at once; its tasks end with the operation."""
        self._completed(run_v2.Condition.State.CONDITION_RECONCILING, _REASON.CANCELLING)

    def settle(self) -> None:
        """The tasks have ended, cancelled."""
        one = self.execution
        one.reconciling, one.observed_generation = False, one.generation
        one.cancelled_count, one.running_count = one.running_count, 0
        one.completion_time = dt.datetime.now(dt.UTC)  # type: ignore[assignment]  # proto-plus takes a datetime
        self._completed(run_v2.Condition.State.CONDITION_FAILED, _REASON.CANCELLED)

    def give_up(self) -> None:
        """It runs on."""
        self.execution.reconciling = False
        self.execution.observed_generation = self.execution.generation
        self.execution.conditions = []

    def fault(self) -> status_pb2.Status | None:
        """Nothing that can be told before."""
        return None

    def _completed(self, state: int, reason: int) -> None:
        self.execution.conditions = [run_v2.Condition(type_="Completed", state=state, execution_reason=reason)]


@dataclass
class LocalJob:
    """A job with its executions by short name, oldest first, and its policy."""

    job: run_v2.Job
    policy: policy_pb2.Policy
    executions: dict[str, LocalExecution] = field(default_factory=dict)
    policy_version: int = field(default_factory=first_version)
    policy_etag: bytes | None = None

    def edit(self, **fields: object) -> None:
        """A person's own update of the job's settings; what runs already runs on as it was."""
        for key, value in fields.items():
            setattr(self.job, key, value)
        self.job.last_modifier = "dev@shop.example"
        self.job.generation += 1
        self.job.update_time = dt.datetime.now(dt.UTC)  # type: ignore[assignment]  # proto-plus takes a datetime
