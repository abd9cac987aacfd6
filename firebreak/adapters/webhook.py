"""One JSON POST to a chat webhook: no redirects, a deadline, and an answer that says whether to try again, and when."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from firebreak.adapters.proxies import proxy_of
from firebreak.core.errors import Denied, Refused, Transient
from firebreak.ports.chat import Busy
from firebreak.ports.deadline import Deadline

_AGAIN = frozenset({408, 425, 429})
_LONGEST_PAUSE = 86_400.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The URL is a secret, and stays where it is."""

    def redirect_request(self, *_: object) -> None:
        """Nowhere: the answer is then an error like any other."""


def post(url: str, body: Mapping[str, Any], deadline: Deadline) -> None:
    """Send once; raises Busy or Transient if another try may succeed, else Refused. The URL is a secret."""
    host = urlsplit(url).hostname or ""
    proxy = proxy_of(url)
    proxies = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    request = urllib.request.Request(  # noqa: S310 - https, or http to this machine: checked at start
        url, json.dumps(body).encode(), {"Content-Type": "application/json; charset=UTF-8"}, method="POST"
    )
    try:
        opener = urllib.request.build_opener(proxies, _NoRedirect)
        seconds = max(0.1, deadline.remaining(10.0))
        _in_all(seconds, lambda: opener.open(request, timeout=seconds).close())
    except urllib.error.HTTPError as answer:
        with answer:
            raise _error_of(answer.code, answer.headers.get("Retry-After"), host) from None
    except (OSError, http.client.HTTPException) as fault:
        reason = fault.reason if isinstance(fault, urllib.error.URLError) else fault
        message = f"the chat webhook at {host} could not be reached ({type(reason).__name__})"
        raise Transient(message) from None


def _in_all(seconds: float, send: Callable[[], None]) -> None:
    """Send in so many seconds, else raise TimeoutError: a socket's own timeout is for each byte, and so for no end."""
    sent = Future[None]()

    def run() -> None:
        try:
            send()
            sent.set_result(None)
        except Exception as fault:  # noqa: BLE001 - the caller gets it
            sent.set_exception(fault)

    threading.Thread(target=run, name="webhook", daemon=True).start()
    sent.result(seconds)


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
