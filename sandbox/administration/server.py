"""Google's administrative REST APIs on one port: `/HOST/VERSION/NAME`, and Firestore's as its own client asks for them.

It shows what the world holds under full resource names, in collections too, answers what whoever asks may do, and has
the figures of Cloud Monitoring.
"""

from __future__ import annotations

import fnmatch
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.administration.resources import found, held
from sandbox.cloud_run.admission import is_denied
from sandbox.wire import Malformed, Refusal, Wire
from sandbox.world import World

FIRESTORE = "firestore.googleapis.com"
_PATH = re.compile(r"(?:/(?P<host>[a-z]+\.googleapis\.com))?/v[0-9]+/(?P<name>[^:]+)(?::(?P<verb>[A-Za-z]+))?")
_STATUS_OF = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_METRIC = re.compile(r'metric\.type="([^"]+)"')


class AdministrationServer(ThreadingHTTPServer):
    """Serves one world until it is stopped."""

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


def start(world: World, wire: Wire) -> tuple[AdministrationServer, int]:
    """Serve in the background; the server, to be stopped, and its port."""
    server = AdministrationServer(world, wire)
    threading.Thread(target=server.serve_forever, args=(0.02,), name="administration", daemon=True).start()
    return server, server.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: AdministrationServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Say nothing: the journal has it."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = urlsplit(self.path)
        path = _PATH.fullmatch(unquote(asked.path))
        host, name, verb = (path["host"] or FIRESTORE, path["name"], path["verb"] or "") if path else ("", "", "")
        method = f"{host or 'unknown'}/{verb or ('list' if _is_collection(name) else 'get')}"
        query = {key: values[-1] for key, values in parse_qs(asked.query).items()}
        metadata = {key.lower(): value for key, value in self.headers.items()}
        try:
            answer = self.server.wire.serve(
                method, self.path, metadata, lambda: self._answer(method, host, name, query, body)
            )
        except Refusal as refusal:
            status = _STATUS_OF.get(refusal.code, 500)
            told = {"code": status, "message": refusal.message, "status": refusal.code}
            self._send(status, json.dumps({"error": told}).encode())
        except Malformed:
            self._send(200, b'{"name": "proj')
        else:
            self._send(200, json.dumps(answer).encode())

    def _answer(self, method: str, host: str, name: str, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        world, verb = self.server.world, method.rpartition("/")[2]
        with world.lock:
            if is_denied(world, method):
                code, message = "PERMISSION_DENIED", f"The caller does not have permission to call {method}."
                raise Refusal(code, message)
            full = f"//{host}/{name}"
            if verb == "testIamPermissions":
                return {"permissions": held(world, json.loads(body)["permissions"])}
            if verb == "getIamPolicy":
                return {"version": 3, "bindings": world.bindings.get(full, [])}
            if name.endswith("/timeSeries"):
                return {"timeSeries": _series(world, query.get("filter", ""))}
            if verb == "list":
                return {name.rpartition("/")[2]: _collection(world, full)}
            return found(world, full)

    def _send(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=UTF-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


def _is_collection(name: str) -> bool:
    """Names are pairs of a collection and an id; what ends with a collection is a list."""
    return len(name.split("/")) % 2 == 1


def _collection(world: World, full: str) -> list[dict[str, Any]]:
    """What lies directly in a collection; `-` stands for any id."""
    glob = f"{full.replace('/-/', '/*/')}/*"
    depth = full.count("/") + 1
    return [
        one for name, one in world.resources.items() if name.count("/") == depth and fnmatch.fnmatchcase(name, glob)
    ]


def _series(world: World, asked: str) -> list[dict[str, Any]]:
    """One series a label, with one point."""
    metric = _METRIC.search(asked)
    figures = world.figures.get(metric[1], {}) if metric else {}
    return [
        {
            "resource": {"labels": {"subscription_id": label} if label else {}},
            "points": [{"value": {"int64Value": str(value)}}],
        }
        for label, value in figures.items()
    ]
