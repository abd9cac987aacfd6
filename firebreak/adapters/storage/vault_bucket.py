"""The vault in a Cloud Storage bucket: every write only makes, so that a retention lock never stands in its way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import islice
from typing import Any

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY

from firebreak.adapters.google.calls import NoCredentials, translate_errors, with_credentials
from firebreak.core.errors import Denied, Missing, Refused, Transient
from firebreak.ports.deadline import Deadline

_AT_MOST = 10.0
_ATTEMPT_SECONDS = 5.0
_MOST_NAMES = 1000
_NO_PROJECT = "-"  # a client wants one, and uses it for buckets alone


class BucketVault:
    """Objects under a prefix of one bucket. The client is made on first use, after any fork."""

    permissions = frozenset({"storage.objects.create", "storage.objects.get", "storage.objects.list"})

    def __init__(self, uri: str, emulator: str | None) -> None:
        """`uri` is `gs://BUCKET/PREFIX`, `emulator` the address of a local Cloud Storage as Google's client has it."""
        self.uri = uri.rstrip("/")
        self._emulator = emulator
        bucket, _, prefix = self.uri.removeprefix("gs://").partition("/")
        self._name, self._prefix = bucket, f"{prefix}/" if prefix else ""

    @cached_property
    def _bucket(self) -> Any:  # noqa: ANN401 - Google's, without types
        return storage_client(self._emulator).bucket(self._name)

    def put(self, folder: str, name: str, data: bytes, deadline: Deadline) -> bool:
        """Make the object; False where there is one of this name, also one whose answer was lost."""
        blob = self._bucket.blob(self._path(folder, name))
        with _translate_errors():
            try:
                blob.upload_from_string(
                    data, content_type="application/json", if_generation_match=0, **call_limits(deadline)
                )
            except exceptions.PreconditionFailed:
                return False
        return True

    def get(self, folder: str, name: str, deadline: Deadline) -> bytes | None:
        """The object's bytes, or None."""
        try:
            with _translate_errors():
                return bytes(self._bucket.blob(self._path(folder, name)).download_as_bytes(**call_limits(deadline)))
        except Missing:
            return None

    def names(self, folder: str, deadline: Deadline) -> tuple[str, ...]:
        """Every object below the folder, by its name from there."""
        prefix = self._path(folder, "")
        with _translate_errors():
            listed = self._bucket.client.list_blobs(self._bucket, prefix=prefix, **call_limits(deadline))
            found = [one.name.removeprefix(prefix) for one in islice(listed, _MOST_NAMES + 1)]
        if len(found) > _MOST_NAMES:
            message = f"there are more than {_MOST_NAMES} objects under {folder}, far more than Firebreak writes"
            raise Refused(message)
        return tuple(sorted(found))

    def _path(self, folder: str, name: str) -> str:
        return f"{self._prefix}{folder}/{name}"


def storage_client(emulator: str | None) -> Any:  # noqa: ANN401 - Google's, without types
    """A client of Google's Cloud Storage, or of a local one; raises NoCredentials or Transient."""
    make = partial(Client, project=_NO_PROJECT)
    if not emulator:
        return with_credentials(make)
    local = make(credentials=AnonymousCredentials(), client_options={"api_endpoint": emulator})
    local._http.trust_env = False  # noqa: SLF001 - there is no other way past a proxy to this machine
    return local


def call_limits(deadline: Deadline) -> dict[str, Any]:
    """How long a call may take, with its repetitions."""
    seconds = max(deadline.remaining(_AT_MOST), 0.001)
    return {"timeout": min(seconds, _ATTEMPT_SECONDS), "retry": DEFAULT_RETRY.with_timeout(seconds)}


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Say in a few words what Google's client tells with addresses and bodies."""
    try:
        with translate_errors():
            try:
                yield
            except exceptions.BadRequest:
                message = "the bucket rejected the request as invalid"
                raise Refused(message) from None
    except Missing:
        message = "there is no such bucket or object"
        raise Missing(message) from None
    except Denied:
        message = "the bucket refused the request: permission denied"
        raise Denied(message) from None
    except DataCorruption:
        message = "the bucket returned bytes that do not match its checksum"
        raise Refused(message) from None
    except NoCredentials:
        raise
    except (Transient, OSError):
        message = "the bucket could not be reached"
        raise Transient(message) from None
