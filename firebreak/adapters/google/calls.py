"""How every Google call is made: one channel for each host, shared credentials, a deadline, and translated errors."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import google.auth
import google.auth.credentials
import grpc
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, TransportError

from firebreak.adapters.proxies import DIRECT
from firebreak.core.errors import Denied, Drifted, Failed, Missing, Transient, Unsupported
from firebreak.ports.deadline import Deadline

T = TypeVar("T")
LOG_IN = "give the function a service account, or on your own machine: gcloud auth application-default login"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_lock = threading.Lock()
_ATTEMPT_SECONDS = 4.0
_FIRST_PAUSE = 0.1
_UNBOUNDED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
"""As Google's clients have it where they make the channel: 200 long findings are more than gRPC's 4 MB."""
_PLUGIN = "metadata from plugin failed"
_PASSING: tuple[type[Exception], ...] = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.Aborted,
    exceptions.InternalServerError,
)
"""Of a read, what another attempt may mend."""


@functools.cache
def _credentials() -> google.auth.credentials.Credentials:
    credentials, _ = google.auth.default(scopes=_SCOPES)
    return credentials


def client_of(make: type[Any], transport: type[Any], emulator: str | None) -> Any:  # noqa: ANN401 - any Google client
    """A Google client over a plain-text channel to `emulator`, or over TLS with credentials fetched once."""
    if emulator:
        return make(transport=transport(channel=grpc.insecure_channel(emulator, (*_UNBOUNDED, *DIRECT))))
    return with_credentials(make)


def with_credentials(make: Callable[..., Any]) -> Any:  # noqa: ANN401 - any Google client
    """A Google client of its own making, with credentials fetched once for all."""
    with _lock, translate_errors():
        return make(credentials=_credentials())


def call_read(call: Callable[..., T], deadline: Deadline, at_most: float = 10.0, **arguments: Any) -> T:  # noqa: ANN401
    """Make a read; what may pass in a moment is tried again until the deadline, and what is left is translated.

    One attempt has a few seconds: a server that hangs must not use up the time of one that would answer.
    """
    until, pause = deadline.sooner(at_most), _FIRST_PAUSE
    again: tuple[type[Exception], ...] = _PASSING
    with translate_errors():
        while True:
            try:
                return call(retry=None, timeout=max(until.remaining(_ATTEMPT_SECONDS), 0.001), **arguments)
            except again as fault:
                if until.remaining() <= pause:
                    raise
                if isinstance(fault, exceptions.InternalServerError):
                    again = _PASSING[:-1]  # once is enough to tell a hiccup from a fault
            time.sleep(pause)
            pause = min(pause * 2, 1.0)


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
    """Make a write once: whether a lost answer was applied is for the caller to read back."""
    with translate_errors():
        return call(retry=None, timeout=max(deadline.remaining(at_most), 0.001), **arguments)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what Google's clients raise into what the caller should do."""
    try:
        yield
    except exceptions.NotFound as fault:
        raise Missing(_error_text(fault)) from None
    except (exceptions.Forbidden, exceptions.Unauthorized) as fault:
        raise Denied(_error_text(fault)) from None
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
        raise Transient(_error_text(fault)) from None
    except (TimeoutError, grpc.RpcError, GoogleAuthError) as fault:
        if asks_to_log_in(fault):
            message = f"Google's credentials cannot be had ({type(fault).__name__}); {LOG_IN}"
            raise NoCredentials(message) from None
        message = f"could not be reached ({type(fault).__name__})"
        raise Transient(message) from None


class NoCredentials(Transient):
    """Google's credentials cannot be had, or are not taken any more."""


def _error_text(fault: BaseException) -> str:
    """The error's own words, bounded; redaction happens where they are shown."""
    code = getattr(fault, "grpc_status_code", None)
    words = str(getattr(fault, "message", "") or type(fault).__name__)[:500]
    said = f"{code.name}: {words}" if code is not None else words
    return f"{said}; {LOG_IN}" if asks_to_log_in(fault) else said


def asks_to_log_in(fault: BaseException) -> bool:
    """Whether it is our credentials that do not serve: gRPC tells that as an outage, in the words of its plugin."""
    if isinstance(fault, GoogleAuthError):
        return not isinstance(fault, TransportError)
    return isinstance(fault, exceptions.Unauthorized) or _PLUGIN in str(getattr(fault, "message", ""))
