"""A deployment that never becomes ready: what served goes on, and the service or pool as a whole does not settle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from google.cloud import run_v2
from google.rpc import status_pb2

from sandbox.cloud_run.local_operation import LocalResource


@dataclass(frozen=True, slots=True)
class BrokenDeployment:
    """What was deployed last, and whether whatever is written meanwhile ends in its error, too."""

    revision: str
    fails_operations: bool

    def is_newest_of(self, local: LocalResource) -> bool:
        """Whether nothing was deployed since."""
        return str(local.resource.latest_created_revision).rpartition("/")[2] == self.revision

    @property
    def error(self) -> status_pb2.Status:
        """What an operation ends in because of it, although what was written takes effect."""
        return status_pb2.Status(code=9, message=self._message)

    def keep_unsettled(self, local: LocalResource) -> None:
        """Traffic has moved; the generation that was asked for is still not the one that was observed."""
        local.resource.observed_generation = local.resource.generation - 1
        local.resource.terminal_condition = run_v2.Condition(
            type_="Ready", state=run_v2.Condition.State.CONDITION_FAILED, message=self._message
        )

    @property
    def _message(self) -> str:
        return (
            f"Revision '{self.revision}' is not ready and cannot serve traffic. The user-provided container failed to"
            " start and listen on the port defined by the PORT environment variable."
        )


def keep_unsettled(broken: Mapping[str, BrokenDeployment], local: LocalResource) -> None:
    """Where the newest deployment is broken, what takes effect does not settle the whole by that."""
    if deployment := _of(broken, local):
        deployment.keep_unsettled(local)


def complaint(broken: Mapping[str, BrokenDeployment], local: LocalResource) -> status_pb2.Status | None:
    """What an operation that has no fault of its own ends in, if in anything."""
    deployment = _of(broken, local)
    return deployment.error if deployment and deployment.fails_operations else None


def _of(broken: Mapping[str, BrokenDeployment], local: LocalResource) -> BrokenDeployment | None:
    deployment = broken.get(local.resource.name)
    return deployment if deployment and deployment.is_newest_of(local) else None
