"""A long-running operation of a local world, and what it needs of the resource that it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

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
    """An operation that ends at a moment of the monotonic clock; `fails_with` is its error, if it has one."""

    name: str
    local: LocalResource
    generation: int
    ends_at: float
    fails_with: status_pb2.Status | None = None
    done: bool = False
