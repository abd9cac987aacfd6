"""An incident as a later one on the same workload sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Earlier:
    """One earlier incident; `closed_as` is empty where no person has said what it was."""

    id: str
    phase: str
    created_ns: int
    category: str
    closed_as: str
