"""What Firestore's errors mean for a save or a read, in words; to the ledger's callers all of them are Transient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from firebreak.adapters.google.calls import LOG_IN, NoCredentials, asks_to_log_in
from firebreak.core.errors import NotLetIn, Transient

PASSING = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.Aborted,
    exceptions.ResourceExhausted,
    exceptions.InternalServerError,
    exceptions.Cancelled,
    exceptions.Unknown,
)
"""What another attempt may mend. A write may have been applied all the same."""

CONDITION_FAILED = (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.NotFound)
"""What is answered to a write whose condition does not hold, now or since an earlier attempt of it."""

_DENIED = "denies it to Firebreak's identity; grant the role that Terraform gives, or undo what took it away"
_MISSING = "does not exist; create it, or correct FIREBREAK_LEDGER"
_NOT_SET_UP = "cannot do it as it is set up; apply Terraform, which makes the database, in native mode, and its indexes"
_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.Forbidden, _DENIED),
    (exceptions.NotFound, _MISSING),
    (exceptions.FailedPrecondition, _NOT_SET_UP),
    (exceptions.ResourceExhausted, "has no quota left just now; raise it if this lasts"),
    (exceptions.Aborted, "is busy with the same record just now"),
    (exceptions.InvalidArgument, "does not take it, which is a fault in Firebreak; report it"),
)
_UNREACHABLE = "could not be reached in time; if this lasts, look at Google's status page and at the network's rules"


@contextmanager
def translate_faults(database: str, done: str) -> Iterator[None]:
    """Turn whatever Google's client raises into Transient, with what it means and what to do about it."""
    try:
        yield
    except (exceptions.GoogleAPIError, grpc.RpcError, GoogleAuthError, TimeoutError) as fault:
        message = (
            f"nothing was {done}, and it will be tried again:"
            f" the ledger {database} {_meaning(fault)} ({_error_text(fault)})"
        )
        raise (NotLetIn if isinstance(fault, exceptions.Forbidden) else Transient)(message) from None


@contextmanager
def no_credentials(database: str) -> Iterator[None]:
    """Say which ledger it was that nobody could be asked to let us into."""
    try:
        yield
    except Transient as fault:
        message = f"nothing was asked of the ledger {database}: {fault}"
        raise (NoCredentials if isinstance(fault, NoCredentials) else Transient)(message) from None


def _meaning(fault: Exception) -> str:
    if asks_to_log_in(fault):
        return f"cannot be asked with the credentials at hand; {LOG_IN}"
    return next((meaning for kind, meaning in _MEANINGS if isinstance(fault, kind)), _UNREACHABLE)


def _error_text(fault: Exception) -> str:
    """The status and the server's own words, bounded; they are redacted where they are shown."""
    code = getattr(fault, "grpc_status_code", None)
    name = code.name if isinstance(code, grpc.StatusCode) else type(fault).__name__
    return f"{name}: {getattr(fault, 'message', '') or 'no words'}"[:300]
