"""A bucket as it is set up: its retention, and what whoever asks may do in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from firebreak.adapters.google.calls import translate_errors
from firebreak.adapters.storage.vault_bucket import call_limits, storage_client
from firebreak.ports.deadline import Deadline


class Buckets:
    """Reads buckets by their names."""

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is the address of a local Cloud Storage as Google's client has it, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's, without types
        return storage_client(self._emulator)

    def get(self, name: str, deadline: Deadline) -> Mapping[str, Any]:
        """The bucket in Cloud Storage's own JSON; raises Missing, Denied or Transient."""
        with translate_errors():
            bucket = self._client.get_bucket(name, **call_limits(deadline))
        return dict(bucket._properties)  # noqa: SLF001 - the whole answer, of which the client shows a part by name

    def bindings(self, name: str, deadline: Deadline) -> tuple[Mapping[str, Any], ...]:
        """The bindings of the bucket's policy; raises as `get` does."""
        with translate_errors():
            policy = self._client.bucket(name).get_iam_policy(requested_policy_version=3, **call_limits(deadline))
        return tuple({**one, "members": sorted(one["members"])} for one in policy.bindings)

    def permitted(self, name: str, permissions: Sequence[str], deadline: Deadline) -> frozenset[str]:
        """Those of the permissions that the caller has; raises as `get` does."""
        with translate_errors():
            held = self._client.bucket(name).test_iam_permissions(list(permissions), **call_limits(deadline))
        return frozenset(map(str, held))
