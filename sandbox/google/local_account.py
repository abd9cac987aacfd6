"""A service account of a local world."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.cloud import iam_admin_v1

from sandbox.blueprint import check_keys

_KEYS = frozenset({"email", "project", "unique_id", "disabled", "disabled_by_google"})
_DOMAIN = ".iam.gserviceaccount.com"
_FIRST = 10**20
"""The least number of as many digits as unique ids have."""


@dataclass
class LocalAccount:
    """`by_google` says that Google disabled it, which nobody else can take back; `seen` is what lagging reads show."""

    account: iam_admin_v1.ServiceAccount
    by_google: bool = False
    seen: bool = False
    stale: int = 0

    def set(self, *, disabled: bool, lag: int = 0) -> None:
        """Somebody disables or enables it; that many reads still show what was before."""
        self.seen, self.stale = self.account.disabled, lag
        self.account.disabled = disabled

    def shown(self) -> iam_admin_v1.ServiceAccount:
        """What a read shows now."""
        found = iam_admin_v1.ServiceAccount(self.account)
        if self.stale:
            self.stale -= 1
            found.disabled = self.seen
        return found


def account_from(given: Mapping[str, Any]) -> LocalAccount:
    """An account from a world's words; its project is the one that the address names, unless it says otherwise.

    Without a `unique_id` it gets a new one, as each that is made does, also under an address that was there before.
    """
    check_keys(given, _KEYS, "service account")
    email = str(given["email"])
    project = str(given.get("project") or email.partition("@")[2].removesuffix(_DOMAIN))
    by_google = bool(given.get("disabled_by_google"))
    account = iam_admin_v1.ServiceAccount(
        name=f"projects/{project}/serviceAccounts/{email}",
        project_id=project,
        unique_id=str(given.get("unique_id") or _FIRST + secrets.randbelow(_FIRST)),
        email=email,
        disabled=by_google or bool(given.get("disabled")),
    )
    return LocalAccount(account, by_google)
