"""Deliver a message over HTTP, as Pub/Sub's push does."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

_LONGEST = 1_000_000


def deliver(url: str, body: bytes, headers: Mapping[str, str], timeout: float = 150.0) -> tuple[int, str]:
    """POST once to an http:// address; the status and the text of the answer. Raises OSError if nobody answers."""
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname is None:
        message = "deliveries go to http:// addresses"
        raise ValueError(message)
    connection = http.client.HTTPConnection(address.hostname, address.port or 80, timeout=timeout)
    try:
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("POST", path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read(_LONGEST).decode("utf-8", "replace")
    finally:
        connection.close()
