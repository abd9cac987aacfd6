"""One POST to a chat webhook: no redirects, a deadline, and an answer that says whether to try again, and when."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from firebreak.adapters.http_exchange import Unreachable, exchange
from firebreak.core.errors import Denied, Refused, Transient
from firebreak.core.messages.delivery import Request
from firebreak.ports.chat import Busy
from firebreak.ports.deadline import Deadline

_AGAIN = frozenset({408, 425, 429})
_LONGEST_PAUSE = 86_400.0
_LONGEST_ANSWER = 65_536


def post(request: Request, deadline: Deadline) -> bytes:
    """Send once; raises Busy or Transient if another try may succeed, else Refused. The URL is a secret."""
    host, seconds = urlsplit(request.url).hostname or "", max(0.1, deadline.remaining(10.0))
    try:
        answer = exchange(request.url, request.headers, seconds, _LONGEST_ANSWER, request.body)
    except (Unreachable, TimeoutError) as fault:
        message = f"the chat webhook at {host} could not be reached ({str(fault) or type(fault).__name__})"
        raise Transient(message) from None
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP: well
        raise _error_of(answer.status, answer.headers.get("Retry-After"), host)
    return answer.body


def _error_of(status: int, after: str | None, host: str) -> Exception:
    message = f"the chat webhook at {host} answered {status}"
    if status >= 500 or status in _AGAIN:  # noqa: PLR2004 - HTTP server faults
        return Busy(message, _seconds(after))
    return Denied(message) if status in (401, 403) else Refused(message)


def _seconds(after: str | None) -> float | None:
    """What Retry-After asks for, in seconds or as a date; a day at most, None where it cannot be read."""
    if after is None:
        return None
    if after.isascii() and after.isdigit():
        return min(float(after[:9]), _LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(after)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
    return min(max((until - dt.datetime.now(dt.UTC)).total_seconds(), 0.0), _LONGEST_PAUSE)
