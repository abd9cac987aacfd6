"""One POST to a chat webhook: no redirects, a deadline, and an answer that says whether to try again, and when."""

from __future__ import annotations

import datetime as dt
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from firebreak.adapters.proxies import proxy_of
from firebreak.core.errors import Denied, Refused, Transient
from firebreak.core.messages.delivery import Request
from firebreak.ports.chat import Busy
from firebreak.ports.deadline import Deadline

_AGAIN = frozenset({408, 425, 429})
_LONGEST_PAUSE = 86_400.0
_LONGEST_ANSWER = 65_536


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The URL is a secret, and stays where it is."""

    def redirect_request(self, *_: object) -> None:
        """Nowhere: the answer is then an error like any other."""


def post(request: Request, deadline: Deadline) -> bytes:
    """Send once; raises Busy or Transient if another try may succeed, else Refused. The URL is a secret."""
    host = urlsplit(request.url).hostname or ""
    proxy = proxy_of(request.url)
    proxies = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    sent = urllib.request.Request(  # noqa: S310 - https, or http to this machine: checked at start
        request.url, request.body, dict(request.headers), method="POST"
    )
    opener, seconds = urllib.request.build_opener(proxies, _NoRedirect), max(0.1, deadline.remaining(10.0))

    def read() -> bytes:
        with opener.open(sent, timeout=seconds) as answered:
            return bytes(answered.read(_LONGEST_ANSWER))

    try:
        return _in_all(seconds, read)
    except urllib.error.HTTPError as answer:
        with answer:
            raise _error_of(answer.code, answer.headers.get("Retry-After"), host) from None
    except (OSError, http.client.HTTPException) as fault:
        reason = fault.reason if isinstance(fault, urllib.error.URLError) else fault
        message = f"the chat webhook at {host} could not be reached ({type(reason).__name__})"
        raise Transient(message) from None


def _in_all(seconds: float, send: Callable[[], bytes]) -> bytes:
    """Send in so many seconds, else raise TimeoutError: a socket's own timeout is for each byte, and so for no end."""
    sent = Future[bytes]()

    def run() -> None:
        try:
            sent.set_result(send())
        except Exception as fault:  # noqa: BLE001 - the caller gets it
            sent.set_exception(fault)

    threading.Thread(target=run, name="webhook", daemon=True).start()
    return sent.result(seconds)


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
