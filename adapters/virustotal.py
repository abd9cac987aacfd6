"""VirusTotal by hash through vt-py: one loop thread, one request a hash, and a key that leaves for one origin only."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from core.file_reputation import FileReport, NoReport, judge

HOST = "https://www.virustotal.com"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DAY = 86_400
_LIFETIMES = {"malicious": 7 * _DAY, "suspicious": 6 * 3600, "undetected": 3600, "not_found": 900}
_YOUNG, _YOUNG_LIFETIME = 7 * _DAY, 900
_MOST_CACHED = 10_000
_AT_MOST = 10.0
_FINAL = {
    "AuthenticationRequiredError": ("auth", "VirusTotal asks for a key: set VIRUSTOTAL_API_KEY"),
    "WrongCredentialsError": ("auth", "VirusTotal does not accept the key: check VIRUSTOTAL_API_KEY"),
    "UserNotActiveError": ("auth", "the VirusTotal account is not active"),
    "ForbiddenError": ("forbidden", "the VirusTotal key may not read file reports"),
    "NotFoundError": ("not_found", "VirusTotal does not know the file, which does not make it clean"),
}


@dataclass
class VirusTotal:
    """Reports by hash. Connects on first use, after any fork; answers are typed, and nothing is raised."""

    key: str = field(repr=False)
    host: str
    clock: Callable[[], float] = time.time
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)
    _client: Any = field(default=None, repr=False)
    _flying: dict[str, Future[FileReport | NoReport]] = field(default_factory=dict, repr=False)
    _cache: OrderedDict[str, tuple[float, FileReport | NoReport]] = field(default_factory=OrderedDict, repr=False)
    _closed_until: float = 0.0

    def report(self, sha256: str, seconds: float) -> FileReport | NoReport:
        """What VirusTotal says, within that many seconds; concurrent askers of one hash share one request."""
        if not _SHA256.fullmatch(sha256):
            return NoReport(sha256, "not_a_hash", "not the SHA-256 of a file")
        with self._lock:
            if (known := self._known(sha256)) is not None:
                return known
            if self.clock() < self._closed_until:
                return NoReport(sha256, "quota", "the VirusTotal quota is used up until midnight UTC")
            flight = self._flying.get(sha256)
            if flight is None:
                flight = asyncio.run_coroutine_threadsafe(self._ask(sha256), self._running_loop())
                self._flying[sha256] = flight
        try:
            return flight.result(timeout=seconds)
        except TimeoutError:
            return NoReport(sha256, "hung", f"VirusTotal did not answer within {seconds:.1f} s")

    def _known(self, sha256: str) -> FileReport | NoReport | None:
        until, answer = self._cache.get(sha256, (0.0, None))
        return answer if self.clock() < until else None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="virustotal", daemon=True).start()
        return self._loop

    async def _ask(self, sha256: str) -> FileReport | NoReport:
        try:
            answer = await self._attempts(sha256)
        except Exception as fault:  # noqa: BLE001 - vt-py and aiohttp raise many kinds; each is a gap and nothing else
            answer = NoReport(sha256, "unreachable", f"VirusTotal could not be asked ({type(fault).__name__})")
        with self._lock:
            self._flying.pop(sha256, None)
            self._keep(sha256, answer)
        return answer

    async def _attempts(self, sha256: str) -> FileReport | NoReport:
        ends = time.monotonic() + _AT_MOST
        answer, wait = await self._attempt(sha256, ends - time.monotonic())
        if wait is None or time.monotonic() + wait >= ends:
            return answer
        await asyncio.sleep(wait)
        return (await self._attempt(sha256, ends - time.monotonic()))[0]

    async def _attempt(self, sha256: str, seconds: float) -> tuple[FileReport | NoReport, float | None]:
        """One request; beside the answer, after how many seconds another try would make sense."""
        import aiohttp  # noqa: PLC0415 - vt-py and what it brings slow the start, and not everybody has a key
        import vt  # noqa: PLC0415

        if self._client is None:
            self._client = _safe_client(self.key, self.host)
        try:
            found = await asyncio.wait_for(self._client.get_object_async("/files/{}", sha256), seconds)
        except vt.APIError as fault:
            return self._told(sha256, fault)
        except TimeoutError:
            return NoReport(sha256, "hung", "VirusTotal did not answer in time"), None
        except (aiohttp.ContentTypeError, json.JSONDecodeError, ValueError, AttributeError, KeyError, TypeError):
            return NoReport(sha256, "malformed", "VirusTotal's answer could not be read"), None
        except aiohttp.ClientError as fault:
            return NoReport(sha256, "unreachable", f"VirusTotal could not be reached ({type(fault).__name__})"), 0.3
        return judge(sha256, _plain(found.to_dict().get("attributes"))), None

    def _told(self, sha256: str, fault: Any) -> tuple[NoReport, float | None]:  # noqa: ANN401 - vt.APIError, untyped
        code = str(fault.code)
        if code in _FINAL:
            kind, reason = _FINAL[code]
            return NoReport(sha256, kind, reason), None
        if code == "QuotaExceededError":
            with self._lock:
                self._closed_until = _next_midnight(self.clock())
            return NoReport(sha256, "quota", "the VirusTotal quota is used up until midnight UTC"), None
        if code == "TooManyRequestsError":
            wait = _seconds(getattr(fault, "retry_after", None))
            return NoReport(sha256, "rate", "VirusTotal is being asked too often"), wait
        if getattr(fault, "status", 0) >= 500:  # noqa: PLR2004 - HTTP server faults
            return NoReport(sha256, "unreachable", f"VirusTotal answered {fault.status}"), 0.3
        return NoReport(sha256, "refused", f"VirusTotal answered {code[:60]}"), None

    def _keep(self, sha256: str, answer: FileReport | NoReport) -> None:
        """Errors are never kept; a young file is looked at again soon."""
        kind = answer.verdict if isinstance(answer, FileReport) else answer.kind
        lifetime = _LIFETIMES.get(kind)
        if lifetime is None:
            return
        now = self.clock()
        young = isinstance(answer, FileReport) and now - (answer.first_seen or 0) < _YOUNG
        if kind == "undetected" and young:
            lifetime = _YOUNG_LIFETIME
        self._cache[sha256] = (now + lifetime, answer)
        self._cache.move_to_end(sha256)
        while len(self._cache) > _MOST_CACHED:
            self._cache.popitem(last=False)


def connect(key: str, host: str | None, clock: Callable[[], float] = time.time) -> VirusTotal:
    """A client that has not connected yet; `host` is a local VirusTotal for tests, None is the real one."""
    return VirusTotal(key, host or HOST, clock)


def _safe_client(key: str, host: str) -> Any:  # noqa: ANN401 - vt.Client, untyped
    """vt.Client without its traps: no redirect is followed, and no URL outside the API is asked with the key."""
    import vt  # noqa: PLC0415
    import vt.client  # noqa: PLC0415

    class SafeClient(vt.Client):  # type: ignore[misc]  # vt-py has no types
        async def get_async(self, path: str, *path_args: str, params: Any = None) -> Any:  # noqa: ANN401
            url = self._full_url(path, *path_args)
            if not url.startswith(f"{host}/api/v3/"):
                message = "VirusTotal is asked on its own origin only"
                raise ValueError(message)
            session = self._get_session()
            answer = await session.get(url, params=params, proxy=self._proxy, allow_redirects=False)
            return vt.client.ClientResponse(answer)

        async def get_error_async(self, response: Any) -> Any:  # noqa: ANN401
            error = await super().get_error_async(response)
            if error is not None:
                error.status = response.status
                error.retry_after = response.headers.get("Retry-After")
            return error

    return SafeClient(key, agent="firebreak", host=host, timeout=int(_AT_MOST), headers={"x-tool": "firebreak"})


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """vt-py wraps mappings in a class of its own."""
    return json.loads(json.dumps(value, default=str)) if value is not None else {}


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _next_midnight(now: float) -> float:
    today = dt.datetime.fromtimestamp(now, tz=dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + dt.timedelta(days=1)).timestamp()
