"""Where log lines go."""

from __future__ import annotations

from typing import Protocol


class LogSink(Protocol):
    """Writes one structured log line."""

    def __call__(self, severity: str, message: str, **fields: object) -> None:
        """Severity is Cloud Logging's: INFO, NOTICE, WARNING, ERROR."""
        ...
