"""Long-running operations, polled to their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.adapters.google.calls import call_read
from firebreak.core.errors import Failed, Refused, Transient, Unfinished
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline


def wait_for(poll: Callable[..., Any], operation: str, deadline: Deadline) -> None:
    """Poll an operation until it ends; raises Failed with its error, or Unfinished at the deadline.

    If polling itself is refused, the operation may still succeed (a 403 on GetOperation was seen while one finished):
    this returns, and the caller judges by what serves.
    """
    backoff = Backoff(deadline, longest=2.0, growth=1.05)  # noticed a twentieth of its time after its end, or 0.1 s
    while True:
        try:
            polled = call_read(poll, deadline, request={"name": operation})
        except Refused:
            return
        except Transient:
            polled = None
        if polled is not None and polled.done:
            raise_if_failed(polled)
            return
        if not backoff.wait():
            deadline.pause(deadline.remaining())
            raise Unfinished(operation)


def raise_if_failed(operation: Any) -> None:  # noqa: ANN401 - google.longrunning Operation, which has no stubs
    """Raises Failed with the operation's own error, if it ended in one."""
    if operation.HasField("error"):
        message = f"the operation ended in an error ({operation.error.code}): {operation.error.message[:500]}"
        raise Failed(message)
