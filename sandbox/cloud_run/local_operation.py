"""A long-running operation of a local world, and what it needs of the resource that it changes."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any, Protocol

from google.longrunning import operations_pb2
from google.rpc import status_pb2


class LocalResource(Protocol):
    """What operations change: a service, a worker pool, an execution."""

    @property
    def resource(self) -> Any:  # noqa: ANN401 - Google's message of it
        """The message that the operation's answer carries; it has a generation and a reconciling flag."""
        ...

    def settle(self) -> None:
        """Make what is wished for effective."""
        ...

    def give_up(self) -> None:
        """Leave what is effective as it was: the operation failed."""
        ...

    def fault(self) -> status_pb2.Status | None:
        """The error that the wish ends in, if it cannot come true."""
        ...


@dataclass
class LocalOperation:
    """A long-running operation of the sandbox.

    Attributes:
        name: `projects/P/locations/L/operations/ID`.
        local: the resource that it changes.
        generation: the resource's generation that this operation makes effective.
        ends_at: in seconds of the monotonic clock.
        fails_with: the error that it ends in; None means success.
        done: whether it has ended.
        takes_effect: whether what was written takes effect although it ends in an error, which is about something else.
    """

    name: str
    local: LocalResource
    generation: int
    ends_at: float
    fails_with: status_pb2.Status | None = None
    done: bool = False
    takes_effect: bool = False

    @property
    def message(self) -> operations_pb2.Operation:
        """The operation as Google's long-running API shows it."""
        found = operations_pb2.Operation(name=self.name, done=self.done)
        resource = self.local.resource
        found.metadata.Pack(type(resource).pb(resource))
        if self.done and self.fails_with is not None:
            found.error.CopyFrom(self.fails_with)
        elif self.done:
            found.response.Pack(type(resource).pb(resource))
        return found


def begun(
    where: str,
    local: LocalResource,
    seconds: float,
    fault: status_pb2.Status | None,
    complaint: status_pb2.Status | None,
) -> LocalOperation:
    """An operation in a location, of a resource that was just written.

    It ends in its own fault, or in a complaint about something else, which keeps nothing from taking effect.
    """
    local.resource.reconciling = True
    return LocalOperation(
        f"{where}/operations/{uuid.uuid4()}",
        local,
        local.resource.generation,
        time.monotonic() + seconds,
        fault or complaint,
        takes_effect=fault is None and complaint is not None,
    )
