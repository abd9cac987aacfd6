"""vt-py's client without its traps. Imported on first use only: vt-py and aiohttp slow the start of the process."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import vt

_MOST_BYTES = 16 << 20


class Refused(Exception):
    """A request other than for a file's report; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer read to its end, in the shape in which vt-py looks at answers."""

    status: int
    headers: Mapping[str, str]
    content_type: str
    body: bytes

    async def json_async(self) -> Any:  # noqa: ANN401 - JSON
        """The body; raises ValueError or RecursionError when it is not JSON."""
        return json.loads(self.body)

    async def text_async(self) -> str:
        """Nothing: vt-py wants it for messages, and what a stranger writes there is shown to nobody."""
        return ""


class SafeClient(vt.Client):  # type: ignore[misc]  # vt-py has no types
    """Reads file reports of its own origin and nothing else. No redirect is followed, so the key stays there."""

    async def get_async(self, path: str, *path_args: str, params: Mapping[str, str] | None = None) -> Answer:
        """The whole answer; raises Refused, ValueError for an endless body, or what aiohttp raises."""
        url = self._full_url(path, *path_args)
        if not re.fullmatch(re.escape(self._host) + r"/api/v3/files/[0-9a-f]{64}", url):
            message = "VirusTotal is asked on its own origin, about files by their SHA-256 only"
            raise Refused(message)
        session = self._get_session()
        # What a session sends by itself, it sends to a proxy as well, in plain text.
        session.headers.pop("X-Apikey", None)
        key = {"X-Apikey": self._apikey}
        async with session.get(url, params=params, headers=key, proxy=self._proxy, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers, answer.content_type, await _body(answer))

    async def get_error_async(self, response: Any) -> Any:  # noqa: ANN401 - vt.APIError, untyped
        """As vt-py has it, with the HTTP status and Retry-After that it drops."""
        error = await super().get_error_async(response)
        if error is not None:
            error.status = response.status
            error.retry_after = response.headers.get("Retry-After")
        return error

    async def _never(self, path: str, *_: object, **__: object) -> Answer:
        message = f"Firebreak only reads from VirusTotal; nothing was sent to {path}"
        raise Refused(message)

    post_async = patch_async = delete_async = _never


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _MOST_BYTES:
            message = "the answer does not end"
            raise ValueError(message)
    return bytes(body)
