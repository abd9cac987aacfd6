"""Who else runs as a service account."""

from __future__ import annotations

from typing import Protocol

from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.target import Target
from firebreak.ports.deadline import Deadline


class AccountUsage(Protocol):
    """Workloads by the service account that they run as."""

    def users_of(self, account: Target, near: Target, deadline: Deadline) -> Users:
        """Who else runs as the account in the project and region of `near`, and what could not be looked at."""
        ...
