"""One JSON POST to a chat webhook: no redirects, a deadline, and an answer that says whether to try again."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.deadline import Deadline
from core.errors import Denied, Refused, Transient

_AGAIN = frozenset({408, 425, 429})


def post(url: str, body: Mapping[str, Any], deadline: Deadline) -> None:
    """Send once; raises Transient for what may pass, Refused for what will not. The URL is a secret and never shown."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    seconds = max(0.1, deadline.remaining(10.0))
    connection: http.client.HTTPConnection
    if parts.scheme == "http":
        connection = http.client.HTTPConnection(host, parts.port, timeout=seconds)
    else:
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        data = json.dumps(body).encode()
        connection.request("POST", path, data, {"Content-Type": "application/json; charset=UTF-8"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as fault:
        message = f"the chat webhook at {host} could not be reached ({type(fault).__name__})"
        raise Transient(message) from None
    finally:
        connection.close()
    _judge(status, host)


def _judge(status: int, host: str) -> None:
    if status < 300:  # noqa: PLR2004 - HTTP success
        return
    message = f"the chat webhook at {host} answered {status}"
    if status >= 500 or status in _AGAIN:  # noqa: PLR2004 - HTTP server faults
        raise Transient(message)
    raise Denied(message) if status in (401, 403) else Refused(message)
