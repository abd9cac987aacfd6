"""A local VirusTotal, API v3: what it knows about a file by its SHA-256, and every way in which it fails to say so.

The world's `hashes` map a SHA-256 to what `virustotal_file.file_object` takes, or to one of these misbehaviours:

- `{"error": "429:QuotaExceededError", "retry_after": 60}`: an HTTP status and one of VirusTotal's codes
- `{"answer": "html"}`, `"malformed"` (cut JSON) or `"no_data"` (JSON without `data`): a 200 that is no file
- `{"answer": "redirect", "location": URL}`: a 302, by default to another origin that journals what reaches it
- `{"answer": "slow", "seconds": 2, …}`: the file object, late; `{"answer": "hang"}`: no answer until the server stops
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from sandbox.virustotal.file import file_object
from sandbox.wire import Malformed, Refusal, Wire
from sandbox.world import World

WRONG_KEY = "wrong"
"""The one API key that is not accepted."""

_STATUS_OF = {
    "INVALID_ARGUMENT": (400, "BadRequestError"),
    "UNAUTHENTICATED": (401, "WrongCredentialsError"),
    "PERMISSION_DENIED": (403, "ForbiddenError"),
    "NOT_FOUND": (404, "NotFoundError"),
    "RESOURCE_EXHAUSTED": (429, "QuotaExceededError"),
    "UNAVAILABLE": (503, "TransientError"),
    "DEADLINE_EXCEEDED": (504, "DeadlineExceededError"),
}
_FILE = re.compile(r"/api/v3/files/([0-9a-fA-F]{64})")
_AS_JSON = {"content-type": "application/json; charset=utf-8"}
_HTML = b"<!DOCTYPE html><html><head><title>One moment</title></head><body>Checking your browser</body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class VirusTotalServer(ThreadingHTTPServer):
    """Serves one world until it is stopped."""

    daemon_threads = True

    def __init__(self, world: World, wire: Wire) -> None:
        """Listen on a free port of loopback."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world = world
        self.wire = wire
        self.stopping = threading.Event()

    def shutdown(self) -> None:
        """Let go what hangs, and accept nothing more."""
        self.stopping.set()
        super().shutdown()

    def stop(self) -> None:
        """End the server and give its port back."""
        self.shutdown()
        self.server_close()


def start(world: World, wire: Wire) -> tuple[VirusTotalServer, int]:
    """Serve in the background; the server, to be stopped, and its port."""
    server = VirusTotalServer(world, wire)
    threading.Thread(target=server.serve_forever, args=(0.02,), name="virustotal", daemon=True).start()
    return server, server.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: VirusTotalServer
    protocol_version = "HTTP/1.1"
    server_version = "Google Frontend"
    sys_version = ""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Say nothing: the journal has it."""

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        metadata = {key.lower(): value for key, value in self.headers.items()}
        method = f"virustotal/{self.command} {_collection(self.path)}"
        try:
            answer = self.server.wire.serve(method, self.path, metadata, lambda: self._answer(metadata))
        except Refusal as refusal:
            answer = _refused(refusal)
        except Malformed:
            answer = Answer(200, b'{"data": {"attributes": {"last_ana', _AS_JSON)
        try:
            self._send(answer)
        except OSError:
            self.close_connection = True

    def _answer(self, metadata: Mapping[str, str]) -> Answer:
        if not self.path.startswith("/api/v3/"):
            return Answer(200, b"somewhere else", {"content-type": "text/plain"})
        if not metadata.get("x-apikey"):
            raise Refusal("401:AuthenticationRequiredError", "X-Apikey header is missing")
        if metadata["x-apikey"] == WRONG_KEY:
            raise Refusal("401:WrongCredentialsError", "Wrong API key")
        if self.command != "GET":
            raise Refusal("403:ForbiddenError", "You are not authorized to perform the requested operation")
        found = _FILE.fullmatch(urlsplit(self.path).path)
        sha256 = found[1].lower() if found else ""
        with self.server.world.lock:
            known = self.server.world.hashes.get(sha256)
        if known is None:
            raise Refusal("404:NotFoundError", "File not found")
        return self._known(sha256, known, metadata)

    def _known(self, sha256: str, known: Mapping[str, Any], metadata: Mapping[str, str]) -> Answer:
        if "error" in known:
            status, _, code = str(known["error"]).partition(":")
            after = {"retry-after": str(known["retry_after"])} if "retry_after" in known else {}
            return _error(int(status), code, "as the world has it", after)
        kind = known.get("answer", "file")
        if kind == "redirect":
            elsewhere = f"http://localhost:{self.server.server_address[1]}/elsewhere"
            return Answer(302, b"", {"location": str(known.get("location") or elsewhere)})
        if kind in ("slow", "hang"):
            self.server.stopping.wait(float(known.get("seconds", 1)) if kind == "slow" else None)
        data = file_object(sha256, known, int(self.server.world.now().timestamp()))
        if "x-tool" not in metadata:
            data["attributes"].pop("gti_assessment", None)
        whole = json.dumps({"data": data}).encode()
        if kind == "html":
            return Answer(200, _HTML, {"content-type": "text/html; charset=utf-8"})
        if kind == "no_data":
            return _json(200, {"meta": {}})
        body = whole[: len(whole) // 2] if kind == "malformed" else whole
        return Answer(200, body, _AS_JSON)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


def _collection(path: str) -> str:
    return urlsplit(path).path.removeprefix("/api/v3").strip("/").partition("/")[0] or "root"


def _refused(refusal: Refusal) -> Answer:
    status, separator, code = refusal.code.partition(":")
    if not separator:
        number, code = _STATUS_OF.get(refusal.code, (500, "ServerError"))
        return _error(number, code, refusal.message, {})
    return _error(int(status), code, refusal.message, {})


def _error(status: int, code: str, message: str, headers: Mapping[str, str]) -> Answer:
    return _json(status, {"error": {"code": code, "message": message}}, headers)


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:  # noqa: ANN401 - JSON
    return Answer(status, json.dumps(body).encode(), {**_AS_JSON, **(headers or {})})
