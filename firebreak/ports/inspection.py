"""A deployment as it is, read only: Google's resources in Google's own JSON, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from firebreak.core.findings.finding import Finding
from firebreak.ports.deadline import Deadline

Json = Mapping[str, Any]


class Inspection(Protocol):
    """Names are full resource names, `//SERVICE/PATH`. Each method raises Missing, Denied, Unsupported or Transient."""

    def get(self, name: str, deadline: Deadline) -> Json:
        """One resource, as Google's REST API shows it."""
        ...

    def listed(self, collection: str, deadline: Deadline) -> tuple[Json, ...]:
        """Every resource of a collection, such as `//serviceusage.googleapis.com/projects/P/services`."""
        ...

    def bindings(self, name: str, deadline: Deadline) -> tuple[Json, ...]:
        """The bindings of the resource's own IAM policy: `role`, `members`, and `condition` where it has one."""
        ...

    def permitted(self, name: str, permissions: frozenset[str], deadline: Deadline) -> frozenset[str]:
        """Those of the permissions that the caller has on the resource; asking takes none."""
        ...

    def highest(self, project: str, metric: str, seconds: int, deadline: Deadline) -> Mapping[str, float]:
        """The highest point of each of the metric's series in the last `seconds`, by its `subscription_id` or "".

        `metric` is a filter of Cloud Monitoring. A series without a point is not there.
        """
        ...

    def last_line(self, project: str, asked: str, deadline: Deadline) -> Json | None:
        """The newest entry of the project's log that fits a filter of Cloud Logging, or None."""
        ...

    def threats(self, organization: str, location: str, since_ns: int, deadline: Deadline) -> Iterator[Finding]:
        """Active, unmuted threats on Cloud Run since that time, as the sweep asks for them."""
        ...

    def quota_project(self) -> str | None:
        """The project that the caller's credentials have calls counted on; None where they name none.

        Empty where there are no credentials to ask, as with an emulator.
        """
        ...
