"""What reads a target and what writes it: a reader for each kind of target, a surface for each kind of resource."""

from __future__ import annotations

from typing import Protocol

from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.plan import Change
from firebreak.ports.deadline import Deadline


class Reader(Protocol):
    """Reads one kind of target: one reading holds the settings of all its surfaces.

    `permissions` is all that reading needs.
    """

    permissions: frozenset[str]

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The target as it is; raises Missing, Denied or Transient."""
        ...


class Surface(Protocol):
    """One kind of resource, written one masked change at a time, under the etag of the reading.

    Its settings' keys begin with its name. `permissions` is all that its writes need beyond reading.
    """

    permissions: frozenset[str]

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Make the change under the etag just read; the operation's name; raises Drifted, Denied and their kin.

        Unsupported names the `key=value` that the API does not take, where one may be done without.
        """
        ...

    def wait(self, operation: str, deadline: Deadline) -> None:
        """Until the operation has ended; raises Failed, or Unfinished at the deadline."""
        ...

    def in_force(self, workload: Workload, change: Change) -> bool:
        """Whether what serves is what the settings of this change say, as far as it can be read."""
        ...
