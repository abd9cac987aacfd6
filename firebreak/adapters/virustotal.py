"""VirusTotal by hash through vt-py: one loop thread, one request a hash, and a key that leaves for one origin only."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from firebreak.adapters.certificates import read_only_to_verify
from firebreak.adapters.later import later
from firebreak.adapters.proxies import proxy_of
from firebreak.core.findings.file_report import FileReport, NoReport, read_report

HOST = "https://www.virustotal.com"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[!-~]+")
_DAY = 86_400
_LIFETIMES = {"malicious": 7 * _DAY, "suspicious": 6 * 3600, "undetected": 3600, "not_found": 900}
_YOUNG, _YOUNG_LIFETIME = 7 * _DAY, 900
_MOST_CACHED = 10_000
_AT_MOST = 10.0
_PAUSE = 0.3
_QUOTA = ("quota", "the VirusTotal quota is used up until midnight UTC")
_RATE = ("rate", "VirusTotal is being asked too often")
_MALFORMED = ("malformed", "VirusTotal's answer could not be read")
_BY_CODE = {
    "AuthenticationRequiredError": ("auth", "VirusTotal asks for a key: set VIRUSTOTAL_API_KEY"),
    "WrongCredentialsError": ("auth", "VirusTotal does not accept the key: check VIRUSTOTAL_API_KEY"),
    "UserNotActiveError": ("auth", "the VirusTotal account of VIRUSTOTAL_API_KEY is not active"),
    "ForbiddenError": ("forbidden", "VIRUSTOTAL_API_KEY may not read file reports: check the licence"),
    "NotFoundError": ("not_found", "VirusTotal does not know the file, which does not make it clean"),
    "QuotaExceededError": _QUOTA,
    "TooManyRequestsError": _RATE,
}
_BY_STATUS = {
    401: ("auth", "VirusTotal does not accept the key: check VIRUSTOTAL_API_KEY"),
    403: ("forbidden", "VirusTotal, or something on the way to it, forbids the request"),
    429: _RATE,
}
_PASSING = (502, 503, 504)


def _library() -> Any:  # noqa: ANN401 - a module
    with read_only_to_verify():
        from firebreak.adapters import virustotal_client  # noqa: PLC0415 - not everybody has a key

    return virustotal_client


LIBRARY: Any = later(_library)
"""vt-py's client and what it brings."""


@dataclass
class _Request:
    """A request under way; `ends` is when the most patient of its askers stops waiting, on the monotonic clock."""

    ends: float
    answer: Future[FileReport | NoReport] = field(default_factory=Future)


@dataclass
class VirusTotal:
    """Reports by hash. Connects on first use, after any fork; answers are typed, and nothing is raised.

    A request continues after its caller has stopped waiting (10 s at most), so that the next caller finds its answer.

    Attributes:
        key: API key.
        host: base URL of VirusTotal's API.
        clock: seconds since 1970, for the age of cached answers.
        cache_size: how many answers are cached at most.
        _lock: guards everything below.
        _loop: event loop of the one thread that makes requests; None before the first request and after `close`.
        _client: VirusTotal's client; only that thread uses it.
        _requests: hash to the request under way.
        _cache: hash to when its cached answer expires (seconds since 1970), and the answer.
        _closed_until: when the quota is available again, seconds since 1970; 0 means now.
    """

    key: str = field(repr=False)
    host: str
    clock: Callable[[], float] = time.time
    cache_size: int = _MOST_CACHED
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)
    _client: Any = field(default=None, repr=False)
    _requests: dict[str, _Request] = field(default_factory=dict, repr=False)
    _cache: OrderedDict[str, tuple[float, FileReport | NoReport]] = field(default_factory=OrderedDict, repr=False)
    _closed_until: float = 0.0

    def report(self, sha256: str, deadline: float) -> FileReport | NoReport:
        """What VirusTotal says, within `deadline` seconds; concurrent askers of one hash share one request."""
        if not _SHA256.fullmatch(sha256):
            return NoReport(sha256, "not_a_hash", "not the SHA-256 of a file")
        if not _KEY.fullmatch(self.key):
            return NoReport(sha256, "auth", "VIRUSTOTAL_API_KEY is not a key: one word of ASCII characters")
        with self._lock:
            until, known = self._cache.get(sha256, (0.0, None))
            if known is not None and self.clock() < until:
                return known
            if self.clock() < self._closed_until:
                return NoReport(sha256, *_QUOTA)
            request = self._join_request(sha256, time.monotonic() + deadline)
        try:
            return request.answer.result(timeout=deadline)
        except TimeoutError:
            return NoReport(sha256, "hung", f"VirusTotal did not answer within {deadline:.1f} s")

    def close(self) -> None:
        """Let the connections and whoever still waits go, and end the thread. The next question starts anew."""
        with self._lock:
            loop, self._loop = self._loop, None
            self._requests.clear()
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._close_client(), loop).result(_AT_MOST)
            loop.call_soon_threadsafe(loop.stop)

    async def _close_client(self) -> None:
        requests = asyncio.all_tasks() - {asyncio.current_task()}
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await client.close_async()

    def _join_request(self, sha256: str, ends: float) -> _Request:
        """The request under way for this hash, or a new one; called under the lock."""
        request = self._requests.get(sha256)
        if request is not None:
            request.ends = max(request.ends, ends)
            return request
        request = self._requests[sha256] = _Request(ends)
        asyncio.run_coroutine_threadsafe(self._run_request(sha256, request), self._running_loop())
        return request

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="virustotal", daemon=True).start()
        return self._loop

    async def _run_request(self, sha256: str, request: _Request) -> None:
        try:
            async with asyncio.timeout(_AT_MOST):
                answer = await self._attempts(sha256, request)
        except TimeoutError:
            answer = NoReport(sha256, "hung", f"VirusTotal did not answer within {_AT_MOST:.0f} s")
        except Exception as fault:  # noqa: BLE001 - vt-py and aiohttp raise many kinds; each is a gap and nothing else
            answer = NoReport(sha256, "failed", f"the request to VirusTotal failed ({type(fault).__name__})")
        with self._lock:
            self._requests.pop(sha256, None)
            self._keep(sha256, answer)
        request.answer.set_result(answer)

    async def _attempts(self, sha256: str, request: _Request) -> FileReport | NoReport:
        """One request, and one more where that makes sense while somebody still waits."""
        answer, pause = await self._attempt(sha256)
        if pause is None or time.monotonic() + pause >= request.ends:
            return answer
        await asyncio.sleep(pause)
        return (await self._attempt(sha256))[0]

    async def _attempt(self, sha256: str) -> tuple[FileReport | NoReport, float | None]:
        """One request; beside the answer, after how many seconds another try would make sense."""
        if self._client is None:
            self._client = LIBRARY.SafeClient(
                self.key,
                agent="firebreak",
                host=self.host,
                timeout=int(_AT_MOST),
                headers={"x-tool": "firebreak"},
                proxy=proxy_of(self.host),
            )
        try:
            answer = await self._client.get_json_async("/files/{}", sha256)
        except LIBRARY.vt.APIError as fault:
            return self._read_error(sha256, fault)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return NoReport(sha256, *_MALFORMED), None
        except LIBRARY.aiohttp.ClientError as fault:
            return NoReport(sha256, "unreachable", f"VirusTotal could not be reached ({type(fault).__name__})"), _PAUSE
        return _file(sha256, answer), None

    def _read_error(self, sha256: str, fault: Any) -> tuple[NoReport, float | None]:  # noqa: ANN401 - vt.APIError, untyped
        status = fault.status
        kind, reason = _BY_CODE.get(str(fault.code)) or _BY_STATUS.get(status) or _other(status)
        if kind == "quota":
            with self._lock:
                self._closed_until = _next_midnight(self.clock())
        if kind == "rate":
            return NoReport(sha256, kind, reason), _seconds(fault.retry_after)
        return NoReport(sha256, kind, reason), _PAUSE if status in _PASSING else None

    def _keep(self, sha256: str, answer: FileReport | NoReport) -> None:
        """Errors are never kept; a young file is looked at again soon. Called under the lock."""
        kind = answer.verdict if isinstance(answer, FileReport) else answer.kind
        lifetime = _LIFETIMES.get(kind)
        if lifetime is None:
            return
        now = self.clock()
        first_seen = answer.first_seen if isinstance(answer, FileReport) else None
        if kind == "undetected" and first_seen is not None and now - first_seen < _YOUNG:
            lifetime = _YOUNG_LIFETIME
        kept = replace(answer, original=None) if isinstance(answer, FileReport) else answer  # the whole may be large
        self._cache[sha256] = (now + lifetime, kept)
        self._cache.move_to_end(sha256)
        while len(self._cache) > self.cache_size:
            self._cache.popitem(last=False)


def connect(key: str, host: str | None, clock: Callable[[], float] = time.time) -> VirusTotal:
    """A client that has not connected yet; `host` is a local VirusTotal for tests, None is the real one."""
    return VirusTotal(key, (host or HOST).rstrip("/"), clock)


def _file(sha256: str, answer: Any) -> FileReport | NoReport:  # noqa: ANN401 - JSON
    """The report of this very file: an answer about another one is no answer."""
    data = answer.get("data") if isinstance(answer, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(attributes, dict):
        return NoReport(sha256, *_MALFORMED)
    if (data.get("type"), data.get("id")) != ("file", sha256):
        return NoReport(sha256, "malformed", "VirusTotal answered about another file")
    report = read_report(sha256, attributes)
    return replace(report, original=answer) if isinstance(report, FileReport) else report


def _other(status: int) -> tuple[str, str]:
    """What an answer without a code that we know means."""
    if status < 300:  # noqa: PLR2004 - HTTP: well, but without a report
        return _MALFORMED
    if status < 400:  # noqa: PLR2004 - HTTP: elsewhere
        return (
            "redirected",
            "VirusTotal redirected the request, which was not followed: the key stays here",
        )
    return ("refused" if status < 500 else "unreachable"), f"VirusTotal answered {status}"  # noqa: PLR2004 - HTTP


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _next_midnight(now: float) -> float:
    today = dt.datetime.fromtimestamp(now, tz=dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + dt.timedelta(days=1)).timestamp()
