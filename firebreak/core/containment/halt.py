"""The halt: why nothing is written just now, who said so, and what tells it from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt that stands. `at_ns`, when it was set, tells it from any other; `by` is empty where nobody set it."""

    reason: str
    by: str
    at_ns: int

    def __str__(self) -> str:
        """As every record says it."""
        return f"halted by {self.by}: {self.reason}" if self.by else self.reason


def counts_as_halted(why: str) -> Halt:
    """What stands where nobody is known to have set a halt, and none is known to have been lifted."""
    return Halt(f"{why}, which counts as set; look who changed it, then lift it with `firebreak resume`", "", 0)


def halt_of(body: Mapping[str, Any]) -> Halt | None:
    """What is saved of a halt; one with an empty reason was lifted."""
    if not body.get("reason"):
        return None
    at_ns = body.get("at_ns")
    return Halt(str(body["reason"]), str(body.get("by", "a person")), at_ns if isinstance(at_ns, int) else 0)
