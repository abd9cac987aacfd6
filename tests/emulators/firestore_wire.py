"""Google's wire of Firestore, in front of an emulator or of nothing: a test says what is lost, held back or refused."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
from google.cloud.firestore_v1 import types

Rule = Callable[[str, int], str]
"""Of a method and how often it was called before, what becomes of the call: `passed`; `lost`, which is done, but the
answer is UNAVAILABLE; `held`, which is done once `release` is called; or the name of a status to refuse it with."""


class FirestoreWire(grpc.GenericRpcHandler):
    """Bytes in, bytes out. Without an emulator behind it every write succeeds, and `answers` are all that there is."""

    def __init__(self, upstream: str | None = None, rule: Rule = lambda _, __: "passed") -> None:
        self.rule = rule
        self.requests: list[tuple[str, bytes]] = []
        self.done: list[str] = []
        self.answers = {"Commit": [APPLIED]}
        self._seen: Counter[str] = Counter()
        self._lock, self._released = threading.Lock(), threading.Event()
        self._channel: Any = grpc.insecure_channel(upstream) if upstream else None
        self._server = grpc.server(ThreadPoolExecutor(64))
        self._server.add_generic_rpc_handlers((self,))
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.stop(None).wait()
        if self._channel:
            self._channel.close()

    def release(self) -> None:
        """Let every call go on that is held back."""
        self._released.set()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method = str(handler_call_details.method)
        if method.endswith("/Commit"):
            return grpc.unary_unary_rpc_method_handler(lambda *call: next(self._answers(method, *call)))
        return grpc.unary_stream_rpc_method_handler(lambda *call: self._answers(method, *call))

    def _answers(self, method: str, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        name = method.rpartition("/")[2]
        with self._lock:
            fate = self.rule(name, self._seen[name])
            self._seen[name] += 1
            self.requests.append((name, request))
        if fate == "held":
            self._released.wait(30)
        status, words, answers = getattr(grpc.StatusCode, fate, None), "planted by a test", list[bytes]()
        if status is None:
            kept = [(key, value) for key, value in context.invocation_metadata() if key in KEPT]
            try:
                answers = self._passed_on(method, request, kept)
            except grpc.RpcError as fault:
                status, words = fault.code(), fault.details() or ""
            self.done.append(name)
            status = status if fate == "passed" else grpc.StatusCode.UNAVAILABLE
        if status is not None:
            context.abort(status, words)
        yield from answers

    def _passed_on(self, method: str, request: bytes, metadata: Any) -> list[bytes]:
        if self._channel is None:
            return self.answers.get(method.rpartition("/")[2], [])
        if method.endswith("/Commit"):
            return [self._channel.unary_unary(method)(request, metadata=metadata, timeout=10)]
        return list(self._channel.unary_stream(method)(request, metadata=metadata, timeout=10))


APPLIED = types.CommitResponse.serialize(
    types.CommitResponse(write_results=[{"update_time": "2026-01-02T03:04:05.123456Z"}])
)
KEPT = ("authorization", "google-cloud-resource-prefix", "x-goog-request-params")
