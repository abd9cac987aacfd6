"""How every Google call is made: one channel for each client, shared credentials, a deadline, translated errors.

Every call names its timeout and passes `retry=None`: many methods of Google's clients have no default timeout at all,
and the default retry's deadline overrides a shorter timeout.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import google.auth
import google.auth.credentials
import grpc
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, TransportError

from firebreak.adapters.proxies import DIRECT
from firebreak.core.errors import Denied, Drifted, Failed, Missing, Perimeter, Throttled, Transient, Unsupported
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline

T = TypeVar("T")
LOG_IN = "give the function a service account, or on your own machine: gcloud auth application-default login"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_lock = threading.Lock()
_ATTEMPT_SECONDS = 4.0
_OF_ITS_OWN = (("grpc.use_local_subchannel_pool", 1),)
"""One emulator after another may listen on the same port: what was learned of the last one holds for that one alone."""
_UNBOUNDED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
"""No limit on messages, as in channels that Google's clients make: 200 long findings exceed gRPC's default of 4 MB."""
_PLUGIN = "metadata from plugin failed"
_PERIMETER = "vpcServiceControlsUniqueIdentifier"
"""What the refusal of a VPC Service Controls perimeter ends with; otherwise it is a PERMISSION_DENIED as any other."""
_PASSING: tuple[type[Exception], ...] = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.Aborted,
    exceptions.InternalServerError,
)
"""Errors of a read after which another attempt may succeed."""


@functools.cache
def _credentials() -> google.auth.credentials.Credentials:
    credentials, _ = google.auth.default(scopes=_SCOPES)
    return credentials


def quota_project() -> str | None:
    """The project that calls are counted on, if the credentials name one; raises NoCredentials or Transient."""
    with _lock, translate_errors():
        return getattr(_credentials(), "quota_project_id", None)


def client_of(make: Callable[..., Any], transport: type[Any], emulator: str | None) -> Any:  # noqa: ANN401 - any Google client
    """A Google client over a plain-text channel to `emulator`, or over TLS with credentials fetched once."""
    if emulator:
        return make(transport=transport(channel=grpc.insecure_channel(emulator, (*_UNBOUNDED, *DIRECT, *_OF_ITS_OWN))))
    return with_credentials(make)


def with_credentials(make: Callable[..., Any]) -> Any:  # noqa: ANN401 - any Google client
    """A client made by `make(credentials=…)`; the credentials are fetched once. Raises NoCredentials or Transient."""
    with _lock, translate_errors():
        return make(credentials=_credentials())


def call_read(call: Callable[..., T], deadline: Deadline, at_most: float = 10.0, **arguments: Any) -> T:  # noqa: ANN401
    """Make a read, and repeat it after errors that may pass, until the deadline or for `at_most` seconds.

    So it is after an answer that is empty. An attempt has a few seconds, so that a server that hangs does not use up
    the time for the next one. Raises whatever `translate_errors` makes of the last error.
    """
    until = deadline.sooner(at_most)
    backoff = Backoff(until, growth=2)
    again: tuple[type[Exception], ...] = _PASSING
    with translate_errors():
        while True:
            try:
                return _answered(call(retry=None, timeout=max(until.remaining(_ATTEMPT_SECONDS), 0.001), **arguments))
            except again as fault:
                if isinstance(fault, exceptions.InternalServerError):
                    again = _PASSING[:-1]  # once is enough to tell a hiccup from a fault
                if not backoff.wait():
                    raise


def _answered(found: T) -> T:
    """The answer; one in which nothing at all is set says nothing of what was asked about. Lists may be empty."""
    plain = getattr(type(found), "pb", None)
    size = getattr(plain(found) if plain else found, "ByteSize", None)
    if size is not None and not size():
        empty = "the answer is empty"
        raise _PASSING[0](empty)
    return found


def pages_of(call: Callable[..., Any], deadline: Deadline, request: Any) -> Iterator[Any]:  # noqa: ANN401 - any list call
    """Every page of a list, each read as `call_read` does; a list that does not end in time is Transient, not short."""
    while True:
        page = next(iter(call_read(call, deadline, request=request).pages))
        yield page
        if not page.next_page_token:
            return
        if deadline.passed:
            message = "the list did not end in time"
            raise Transient(message)
        request.page_token = page.next_page_token


def call_write(call: Callable[..., T], deadline: Deadline, at_most: float = 15.0, **arguments: Any) -> T:  # noqa: ANN401
    """Make a write once, in `at_most` seconds; raises whatever `translate_errors` makes of its error.

    A write whose answer was lost may have been applied: the caller reads back.
    """
    with translate_errors():
        return call(retry=None, timeout=max(deadline.remaining(at_most), 0.001), **arguments)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn errors of Google's clients into Missing, Denied, Drifted, Unsupported, Failed, Throttled or Transient.

    ABORTED means a stale etag, and is Drifted. DEADLINE_EXCEEDED is Transient: the server may have applied the write.
    So is UNAUTHENTICATED: a token that is not accepted now says nothing of what Firebreak may do.
    """
    try:
        yield
    except exceptions.NotFound as fault:
        raise Missing(_error_text(fault)) from None
    except exceptions.Forbidden as fault:
        raise (Perimeter if _PERIMETER in str(fault.message) else Denied)(_error_text(fault)) from None
    except exceptions.Aborted as fault:
        raise Drifted(_error_text(fault)) from None
    except (exceptions.InvalidArgument, exceptions.FailedPrecondition, exceptions.MethodNotImplemented) as fault:
        raise Unsupported(_error_text(fault)) from None
    except exceptions.AlreadyExists as fault:
        raise Failed(_error_text(fault)) from None
    except exceptions.RetryError as fault:
        message = f"no answer in time: {_error_text(fault.cause) if fault.cause else 'the deadline passed'}"
        raise Transient(message) from None
    except exceptions.GoogleAPICallError as fault:
        throttled = isinstance(fault, exceptions.TooManyRequests)
        kind = Throttled if throttled else NoCredentials if asks_to_log_in(fault) else Transient
        raise kind(_error_text(fault)) from None
    except (TimeoutError, grpc.RpcError, GoogleAuthError) as fault:
        if asks_to_log_in(fault):
            message = f"Google's credentials are not available ({type(fault).__name__}); {LOG_IN}"
            raise NoCredentials(message) from None
        message = f"could not be reached ({type(fault).__name__})"
        raise Transient(message) from None


class NoCredentials(Transient):
    """Google's credentials are not available, or no longer accepted."""


def _error_text(fault: BaseException) -> str:
    """The error's own words, bounded; redaction happens where they are shown."""
    code = getattr(fault, "grpc_status_code", None)
    words = str(getattr(fault, "message", "") or type(fault).__name__)[:500]
    said = f"{code.name}: {words}" if code is not None else words
    if _PERIMETER in str(getattr(fault, "message", "")):
        said = f"a VPC Service Controls perimeter refuses the call, which no role would change: {said}"
    return f"{said}; {LOG_IN}" if asks_to_log_in(fault) else said


def asks_to_log_in(fault: BaseException) -> bool:
    """Whether the error is about our credentials; gRPC reports that as UNAVAILABLE, with its plugin's message."""
    if isinstance(fault, GoogleAuthError):
        return not isinstance(fault, TransportError)
    return isinstance(fault, exceptions.Unauthorized) or _PLUGIN in str(getattr(fault, "message", ""))
