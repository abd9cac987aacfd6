"""Messages to a chat's webhook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from firebreak.core.errors import Transient
from firebreak.ports.deadline import Deadline


class Busy(Transient):
    """The webhook has no time now; `seconds` is what it asks for before the next try, where it says so."""

    def __init__(self, text: str, seconds: float | None) -> None:
        """Keep the pause that was asked for."""
        super().__init__(text)
        self.seconds = seconds


class PostToChat(Protocol):
    """Sends one message."""

    def __call__(self, url: str, body: Mapping[str, Any], deadline: Deadline) -> None:
        """Send once; raises Busy or Transient if another try may succeed, else Refused. The URL is a secret."""
        ...
