"""Service accounts in IAM: whether they are enabled, and disabling them.

Disabling takes no etag, and a read may show the old state for some seconds after a write.
"""

from __future__ import annotations

from functools import cached_property
from types import MappingProxyType
from typing import Any

from google.cloud.iam_admin_v1 import types as iam_admin_v1
from google.cloud.iam_admin_v1.services.iam import IAMClient
from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport

from firebreak.adapters.google.calls import call_read, call_write, client_of
from firebreak.adapters.google.originals import message_json
from firebreak.core.cloud_run.setting_names import ACCOUNT, DISABLED, ENABLED
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.plan import Change, has_settings
from firebreak.core.errors import AnotherResource, Drifted, Refused, Transient, Unsupported
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline

_LAG_SECONDS = 8.0


class ServiceAccounts:
    """Reads service accounts, and is the surface `service_account`."""

    permissions = frozenset({"iam.serviceAccounts.get", "iam.serviceAccounts.disable", "iam.serviceAccounts.enable"})

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port` of a local IAM, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        return client_of(IAMClient, IAMGrpcTransport, self._emulator)

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The account; raises Missing, Denied, Transient, or Unsupported where IAM answers with another one."""
        account = self._get(target.resource, deadline)
        known = target.project_id or account.project_id
        # A project that is not said is none that differs: the address names it too.
        if account.email != target.name or account.project_id not in ("", known):
            message = f"IAM answers with {account.email} of {account.project_id}; Firebreak leaves it alone"
            raise Unsupported(message)
        return Workload(
            target=target,
            state=MappingProxyType({f"{ACCOUNT}{target.name}": _word(account)}),
            etags=MappingProxyType({}),
            revisions=(),
            latest=None,
            effective=MappingProxyType({}),
            effective_tags=MappingProxyType({}),
            settled=True,
            uid=account.unique_id,
            originals=lambda: {"service_account": message_json(account)},
        )

    def _get(self, name: str, deadline: Deadline) -> iam_admin_v1.ServiceAccount:
        found: iam_admin_v1.ServiceAccount = call_read(
            self._client.get_service_account, deadline, request={"name": name}
        )
        return found

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        """Disable or enable the account if it still has the state before the change; returns what to wait for.

        There is no etag, so a change between this read and the write is not noticed. Raises AnotherResource, Drifted,
        Missing, Denied or Transient.
        """
        now = self.read(workload.target, deadline)
        if now.uid != workload.uid:
            message = "the service account was deleted, and another one made in its place"
            raise AnotherResource(message)
        if not has_settings(now.state, change.before):
            message = "somebody changed the service account since it was read"
            raise Drifted(message)
        name, word = workload.target.resource, change.after[f"{ACCOUNT}{workload.target.name}"]
        calls = {DISABLED: self._client.disable_service_account, ENABLED: self._client.enable_service_account}
        call_write(calls[str(word)], deadline, request={"name": name})
        return f"{name} {word}"

    def wait(self, operation: str, deadline: Deadline) -> None:
        """Wait until a read shows what was written, for a few seconds at most; the next reading decides."""
        name, word = operation.split()
        until = deadline.sooner(_LAG_SECONDS)
        backoff = Backoff(until, growth=2)
        while True:
            try:
                if _word(self._get(name, until)) == word:
                    return
            except (Refused, Transient):
                return
            if not backoff.wait():
                return

    def in_force(self, workload: Workload, change: Change) -> bool:  # noqa: ARG002
        """What was read back is all that can be seen."""
        return True


def _word(account: iam_admin_v1.ServiceAccount) -> str:
    return DISABLED if account.disabled else ENABLED
