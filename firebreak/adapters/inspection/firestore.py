"""The ledger's database as it is set up: that it is there, its indexes, and the fields that are let go of in time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore_admin_v1 import types
from google.cloud.firestore_admin_v1.services.firestore_admin import FirestoreAdminClient
from google.cloud.firestore_admin_v1.services.firestore_admin.transports import FirestoreAdminRestTransport

from firebreak.adapters.google.calls import call_read, pages_of, with_credentials
from firebreak.adapters.google.originals import message_json
from firebreak.ports.deadline import Deadline

_CHANGED = "indexConfig.usesAncestorConfig:false OR ttlConfig:*"


class LedgerAdmin:
    """Reads databases, indexes and fields. A local stand-in speaks REST, as for the other administrative APIs."""

    def __init__(self, emulator: str | None) -> None:
        """`emulator` is `host:port`, or None for Google's."""
        self._emulator = emulator

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - Google's client, untyped at this seam
        if not self._emulator:
            return with_credentials(FirestoreAdminClient)
        local = FirestoreAdminRestTransport(host=self._emulator, url_scheme="http", credentials=AnonymousCredentials())
        local._session.trust_env = False  # noqa: SLF001 - there is no other way past a proxy to this machine
        return FirestoreAdminClient(transport=local)

    def database(self, name: str, deadline: Deadline) -> Mapping[str, Any]:
        """The database; raises Missing, Denied or Transient."""
        return message_json(call_read(self._client.get_database, deadline, request={"name": name}))

    def indexes(self, name: str, deadline: Deadline) -> tuple[Mapping[str, Any], ...]:
        """The composite indexes of `DATABASE/collectionGroups/GROUP/indexes`; raises as `database` does."""
        request = types.ListIndexesRequest(parent=name.rpartition("/")[0])
        pages = pages_of(self._client.list_indexes, deadline, request)
        return tuple(message_json(one) for page in pages for one in page.indexes)

    def fields(self, name: str, deadline: Deadline) -> tuple[Mapping[str, Any], ...]:
        """The fields of `DATABASE/collectionGroups/GROUP/fields` that are not as others; raises as `database` does."""
        request = types.ListFieldsRequest(parent=name.rpartition("/")[0], filter=_CHANGED)
        pages = pages_of(self._client.list_fields, deadline, request)
        return tuple(message_json(one) for page in pages for one in page.fields)
