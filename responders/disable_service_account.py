"""Disable the identity that suspects run as, so that stolen tokens and keys of it stop working."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.service_account import kind_of
from firebreak.core.cloud_run.setting_names import ACCOUNT, DISABLED
from firebreak.core.cloud_run.state import State


@dataclass(frozen=True, slots=True)
class Params:
    """`allow_default`: disable a project's default account too, whatever else runs as it."""

    allow_default: bool = False


class DisableServiceAccount(Responder):
    """Whatever runs as the account loses it, so a person is always asked; Google's own agents are never disabled."""

    summary = "Disable the service accounts that suspects run as, for everything that uses them."
    kinds = frozenset({"service", "job", "worker_pool", "service_account"})
    surfaces = frozenset({"service_account"})
    countermeasure = "D3-AL"
    reach = "shared"
    needs_if_inferred = frozenset({"related"})
    permissions = frozenset(
        {
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.disable",
            "iam.serviceAccounts.enable",
        }
    )
    call = "DisableServiceAccount of the IAM API on each account, read again just before: there is no etag"
    closes = "calls to Google Cloud as the account, with tokens that were taken too, and new tokens from its keys"
    leaves_open = (
        "what runs as the account runs on, suspects too: this takes what they may do, not who can reach them",
        "what checks the account's ID tokens by their signature alone may accept those taken for up to an hour",
        "what was made or read as the account stays so, other identities that it could act as above all",
        "until it is enabled Cloud Run deploys nothing that runs as it, and may take no other update of that either",
        "its keys and tokens work again once it is enabled: delete keys that may have been taken before a release",
    )
    undo = "EnableServiceAccount, if it is still as Firebreak left it; what Google itself disabled stays so"
    params = Params

    def edit(self, before: State, case: EditContext, params: Params) -> State | Refusal:  # noqa: ARG002 - the accounts say it
        """The settings with the suspects' accounts disabled; refused where one of them is not theirs alone by name."""
        keys = sorted(key for key in before if key.startswith(ACCOUNT))
        for email in (key.removeprefix(ACCOUNT) for key in keys):
            kind = kind_of(email)
            if kind == "default" and not params.allow_default:
                return Refusal(
                    f"{email} is a default service account, as which much else in its project may run: give the"
                    " workload one of its own, or say allow_default: true in the step"
                )
            if kind in ("agent", "unknown"):
                return Refusal(f"{email} is not a service account of anybody's workload: it is never disabled")
        if not keys:
            return Refusal(
                "no suspect names the service account that it runs as: that is then its project's default one, which is"
                " not disabled by guessing"
            )
        return {**before, **dict.fromkeys(keys, DISABLED)}


action = DisableServiceAccount()
