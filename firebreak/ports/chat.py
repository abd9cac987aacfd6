"""Messages to a chat's webhook."""

from __future__ import annotations

from typing import Protocol

from firebreak.core.errors import Transient
from firebreak.core.messages.delivery import Request
from firebreak.ports.deadline import Deadline


class Busy(Transient):
    """The webhook has no time now; `seconds` is what it asks for before the next try, where it says so."""

    def __init__(self, text: str, seconds: float | None) -> None:
        """Keep the pause that was asked for."""
        super().__init__(text)
        self.seconds = seconds


class PostToChat(Protocol):
    """Sends one request, and returns the body of the answer."""

    def __call__(self, request: Request, deadline: Deadline) -> bytes:
        """Send once; raises Busy or Transient if another try may succeed, else Refused. The URL is a secret."""
        ...
