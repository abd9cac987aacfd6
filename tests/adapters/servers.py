"""Small servers on loopback that remember what they were asked: a chat, and a proxy."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """What came, in its order, and what is answered: a status with headers, the next ones of a path first."""

    origin: str = ""
    status: int = 200
    next: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    came: list[tuple[str, str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Received]:
    """A server that takes POST as a chat does, and CONNECT and GET as a proxy does."""
    asked = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._answer()

        def do_CONNECT(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            path, _, query = self.path.partition("?")
            asked.came.append((self.command, path))
            asked.queries.append(query)
            asked.headers.append({key.lower(): value for key, value in self.headers.items()})
            status, headers = asked.next[path].pop(0) if asked.next.get(path) else (asked.status, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    asked.origin = f"http://127.0.0.1:{server.server_address[1]}"
    yield asked
    server.shutdown()
    server.server_close()


@contextmanager
def dripping(pause: float) -> Iterator[str]:
    """The origin of a server that is slow: its answer is 49 bytes of a header, each after that many seconds."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(1 << 16)
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 30:
                connection.sendall(bytes([byte]))
                if over.wait(pause):
                    return

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=server.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        server.shutdown(socket.SHUT_RDWR)
