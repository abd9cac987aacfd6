"""A local Cloud Storage, JSON API: objects made, read and listed as Google's unmodified client does, and then kept.

Every bucket here is under a retention lock, as an evidence bucket should be: what is there is neither replaced nor
deleted, and a write that does not say which generation it expects is refused where the object exists.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

from sandbox.administration.resources import found as resource
from sandbox.administration.resources import held
from sandbox.cloud_run.admission import is_denied
from sandbox.wire import Malformed, Refusal, Wire
from sandbox.world import World

SERVICE = "storage"
_BUCKET = re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)(?P<iam>/iam(?P<tested>/testPermissions)?)?")
_OBJECTS = re.compile(r"/(?P<way>upload/|download/)?storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<name>.+))?")
_OF_BUCKET = ("getBucket", "getIamPolicy", "testIamPermissions")
_STATUS_OF = {
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "NOT_FOUND": 404,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 412,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class StorageServer(ThreadingHTTPServer):
    """Serves the buckets of one world until it is stopped."""

    daemon_threads = True

    def __init__(self, world: World, wire: Wire) -> None:
        """Listen on a free port of loopback."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world = world
        self.wire = wire

    def stop(self) -> None:
        """End the server and give its port back."""
        self.shutdown()
        self.server_close()


def start(world: World, wire: Wire) -> tuple[StorageServer, int]:
    """Serve in the background; the server, to be stopped, and its port."""
    server = StorageServer(world, wire)
    threading.Thread(target=server.serve_forever, args=(0.02,), name="storage", daemon=True).start()
    return server, server.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: StorageServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Say nothing: the journal has it."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(asked.query).items()}
        found, bucket = _OBJECTS.fullmatch(asked.path), _BUCKET.fullmatch(asked.path)
        verb = _verb(self.command, found)
        if bucket and self.command == "GET":
            verb = "testIamPermissions" if bucket["tested"] else "getIamPolicy" if bucket["iam"] else "getBucket"
        metadata = {key.lower(): value for key, value in self.headers.items()}
        try:
            answer = self.server.wire.serve(
                f"{SERVICE}/{verb}", self.path, metadata, lambda: self._answer(verb, found, query, body)
            )
        except Refusal as refusal:
            answer = _refused(refusal)
        except Malformed:
            answer = Answer(200, b'{"kind": "storage#obj', {"content-type": _JSON})
        try:
            self._send(answer)
        except OSError:
            self.close_connection = True

    def _answer(self, verb: str, found: re.Match[str] | None, query: Mapping[str, str], body: bytes) -> Answer:
        world = self.server.world
        with world.lock:
            if is_denied(world, f"{SERVICE}/{verb}"):
                raise Refusal("403", "The caller does not have storage permission to do this.")
            if verb in _OF_BUCKET:
                return self._of_bucket(verb)
            if found is None:
                raise Refusal("403", "The caller does not have storage.buckets.get access to the bucket.")
            if found["bucket"] not in world.buckets:
                raise Refusal("404", "The specified bucket does not exist.")
            bucket, name = world.buckets[found["bucket"]], unquote(found["name"] or "")
            if verb == "insert":
                return _inserted(bucket, query, self.headers.get("content-type", ""), body)
            if verb == "list":
                return _listed(bucket, query)
            if name not in bucket:
                raise Refusal("404", f"No such object: {found['bucket']}/{name}")
            if verb == "delete":
                raise Refusal("403", "Object is subject to bucket's retention policy and cannot be deleted.")
            return _media(bucket[name]) if query.get("alt") == "media" else _json(_about(name, bucket[name]))

    def _of_bucket(self, verb: str) -> Answer:
        """The bucket itself, its policy, or what whoever asks may do in it."""
        world, asked = self.server.world, urlsplit(self.path)
        name = f"//storage.googleapis.com/{asked.path.split('/')[4]}"
        shown = resource(world, name)
        if verb == "testIamPermissions":
            return _json({"permissions": held(world, parse_qs(asked.query)["permissions"])})
        if verb == "getIamPolicy":
            return _json({"kind": "storage#policy", "etag": "CAE=", "bindings": world.bindings.get(name, [])})
        return _json(shown)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


def _verb(command: str, found: re.Match[str] | None) -> str:
    if found is None:
        return "unknown"
    if command == "POST":
        return "insert" if found["way"] == "upload/" and not found["name"] else "unknown"
    if command == "DELETE":
        return "delete"
    return "get" if found["name"] else "list"


def _inserted(bucket: dict[str, bytes], query: Mapping[str, str], content_type: str, body: bytes) -> Answer:
    if query.get("uploadType") != "multipart":
        raise Refusal("400", "Only uploadType=multipart is known here.")
    about, data = _parts(content_type, body)
    name = query.get("name") or about.get("name")
    if not isinstance(name, str) or not name:
        raise Refusal("400", "Required parameter: name")
    if "crc32c" in about and about["crc32c"] != _crc(data):
        raise Refusal("400", "Provided CRC32C does not match calculated CRC32C.")
    expected = query.get("ifGenerationMatch")
    if expected not in (None, "0"):
        raise Refusal("412", "At least one of the pre-conditions you specified did not hold.")
    if name in bucket and expected == "0":
        raise Refusal("412", "At least one of the pre-conditions you specified did not hold.")
    if name in bucket:
        raise Refusal("403", "Object is subject to bucket's retention policy and cannot be overwritten.")
    bucket[name] = data
    return _json(_about(name, data))


def _parts(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if boundary is None:
        raise Refusal("400", "Missing multipart boundary.")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]
    bodies = [part.partition(b"\r\n\r\n")[2] for part in parts]
    if len(bodies) != 2:  # noqa: PLR2004 - what it is about, and its bytes
        raise Refusal("400", "A multipart upload has two parts.")
    return dict(json.loads(bodies[0])), bodies[1]


def _listed(bucket: Mapping[str, bytes], query: Mapping[str, str]) -> Answer:
    names = sorted(name for name in bucket if name.startswith(query.get("prefix", "")))
    start, size = int(query.get("pageToken", "0")), int(query.get("maxResults", "1000"))
    page = names[start : start + size]
    more = {"nextPageToken": str(start + size)} if start + size < len(names) else {}
    return _json({"kind": "storage#objects", "items": [_about(name, bucket[name]) for name in page], **more})


def _about(name: str, data: bytes) -> dict[str, Any]:
    return {"kind": "storage#object", "name": name, "size": str(len(data)), "generation": "1", "crc32c": _crc(data)}


def _media(data: bytes) -> Answer:
    md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    headers = {"content-type": "application/json", "x-goog-hash": f"crc32c={_crc(data)},md5={md5}"}
    return Answer(200, data, {**headers, "x-goog-generation": "1", "x-goog-stored-content-length": str(len(data))})


def _crc(data: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def _refused(refusal: Refusal) -> Answer:
    status = int(refusal.code) if refusal.code.isdigit() else _STATUS_OF.get(refusal.code, 500)
    return _json({"error": {"code": status, "message": refusal.message, "errors": []}}, status)


def _json(body: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"content-type": _JSON})
