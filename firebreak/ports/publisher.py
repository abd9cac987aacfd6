"""Messages to a topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from firebreak.ports.deadline import Deadline


class MessagePublisher(Protocol):
    """Publishes one message at a time."""

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str], deadline: Deadline) -> None:
        """Publish and wait for the answer; raises Refused or Transient."""
        ...
