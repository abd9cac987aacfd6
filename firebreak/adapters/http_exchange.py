"""One HTTP request and its whole answer: to one place, through the environment's proxy, within one time."""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from email.message import Message

from firebreak.adapters.proxies import proxy_of


class Unreachable(Exception):
    """No answer, or none that is HTTP. Says the kind of error alone: its words may quote an address that is secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of whatever status; `body` is cut at what was asked for."""

    status: int
    headers: Message
    body: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Address, key and content stay where they were sent."""

    def redirect_request(self, *_: object) -> None:
        """Nowhere: the answer is then one like any other."""


def exchange(url: str, headers: Mapping[str, str], seconds: float, most: int, body: bytes | None = None) -> Answer:
    """GET, or POST where there is a body; at most so many bytes are read. Raises Unreachable, or TimeoutError.

    `url` is https, or http to this machine, as was checked at the start.
    """
    proxy = proxy_of(url)
    proxies = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    opener = urllib.request.build_opener(proxies, _NoRedirect)
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - https, or this machine: see above

    def read() -> Answer:
        try:
            with opener.open(request, timeout=seconds) as answer:
                return Answer(answer.status, answer.headers, answer.read(most))
        except urllib.error.HTTPError as answer:
            with answer:
                return Answer(answer.code, answer.headers, answer.read(most))

    try:
        return _in_all(seconds, read)
    except (OSError, http.client.HTTPException) as fault:
        reason = fault.reason if isinstance(fault, urllib.error.URLError) else fault
        if isinstance(reason, TimeoutError):
            raise TimeoutError from None
        raise Unreachable(type(reason).__name__) from None


def _in_all(seconds: float, send: Callable[[], Answer]) -> Answer:
    """Send in so many seconds, else raise TimeoutError: a socket's own timeout is for each byte, and so for no end."""
    sent = Future[Answer]()

    def run() -> None:
        try:
            sent.set_result(send())
        except Exception as fault:  # noqa: BLE001 - the caller gets it
            sent.set_exception(fault)

    threading.Thread(target=run, name="http", daemon=True).start()
    return sent.result(seconds)
