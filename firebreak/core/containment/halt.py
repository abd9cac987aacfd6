"""The halt: why nothing is written just now, who said so, and what tells it from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt that stands. `at_ns`, when it was set, tells it from any other."""

    reason: str
    by: str
    at_ns: int

    def __str__(self) -> str:
        """As every record says it."""
        return f"halted by {self.by}: {self.reason}"


def halt_of(body: Mapping[str, Any]) -> Halt | None:
    """What is saved of a halt; one with an empty reason was lifted."""
    if not body.get("reason"):
        return None
    at_ns = body.get("at_ns")
    return Halt(str(body["reason"]), str(body.get("by", "a person")), at_ns if isinstance(at_ns, int) else 0)
