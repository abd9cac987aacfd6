"""Who else runs as a service account, as far as anybody looked."""

from __future__ import annotations

from dataclasses import dataclass

NEVER_SEEN = (
    "Compute Engine, GKE, App Engine, 1st gen functions, Cloud Build, Dataflow and other products",
    "workloads of other projects, older revisions that still serve, keys, and whoever may impersonate it",
)
"""What no list of Cloud Run tells, whatever it holds."""


@dataclass(frozen=True, slots=True)
class Users:
    """Workloads found that run as the account (`names`), and what was not or could not be checked (`unseen`)."""

    names: tuple[str, ...] = ()
    unseen: tuple[str, ...] = NEVER_SEEN

    def sentence(self, account: str) -> str:
        """Which workloads stop if the account is disabled, and what was not checked; for the approver."""
        found = ", ".join(self.names)
        used = f"is also the identity of {found}" if found else "is not used by any other workload that was found"
        return f"{account} {used}; not checked: {'; '.join(self.unseen)}"
