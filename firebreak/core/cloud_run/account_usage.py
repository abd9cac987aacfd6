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
    """`names` are the workloads found that run as it, `unseen` says what was not looked at, or could not be."""

    names: tuple[str, ...] = ()
    unseen: tuple[str, ...] = NEVER_SEEN

    def sentence(self, account: str) -> str:
        """Who stops with the account, and who may besides."""
        named = f"is the identity of {', '.join(self.names)} too" if self.names else "is nobody else's that was found"
        return f"{account} {named}; not looked at: {'; '.join(self.unseen)}"
