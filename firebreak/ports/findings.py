"""Findings as Security Command Center holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from firebreak.core.cloud_run.target import Target
from firebreak.core.findings.finding import Finding, FindingName
from firebreak.ports.deadline import Deadline


class FindingStore(Protocol):
    """SCC's findings under one organization; raises Refused or Transient."""

    def find(
        self, name: FindingName, organization: str, deadline: Deadline, other_names: tuple[FindingName, ...] = ()
    ) -> Finding | None:
        """The finding under any of these names, or None where SCC does not hold it."""
        ...

    def threatens(
        self, target: Target, revision: str, name: FindingName, sources: frozenset[str], deadline: Deadline
    ) -> bool:
        """Whether an active, unmuted threat of these sources names this revision, where `name` says to look."""
        ...

    def active_since(self, organization: str, location: str, since_ns: int, deadline: Deadline) -> Iterator[Finding]:
        """Active, unmuted threats with an event at that time (nanoseconds since 1970) or later, the oldest first."""
        ...

    def mark(self, finding: Finding, marks: Mapping[str, str], deadline: Deadline) -> None:
        """Set security marks on the finding, by their names."""
        ...
