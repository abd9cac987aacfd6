"""The wire of a sandbox: every call is journaled, delayed and made to fail as the world says, then answered."""

from __future__ import annotations

import fnmatch
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import grpc

T = TypeVar("T")
Kind = Literal["error", "hang", "reset", "malformed", "lost_answer", "late", "empty", "slow"]
Methods = Mapping[str, tuple[Any, Any, Callable[[Any], Any]]]
"""Method name to request type, response type and the function that answers."""


class Refusal(Exception):
    """A gRPC status by name (`ABORTED`), or for HTTP the status and code as text, with its message."""

    def __init__(self, code: str, message: str) -> None:
        """Keep both for the server that translates them."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Malformed(Exception):
    """Answer with something that cannot be read."""


class Empty(Exception):
    """Answer with a message in which nothing is set, such as a list of nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived.

    Attributes:
        number: counts from 0 over all methods.
        method: `package.Service/Method`.
        request: the decoded message.
        metadata: the call's headers.
        at: in seconds of the monotonic clock.
        status: name of the gRPC status it ended with; empty while it is under way.
    """

    number: int
    method: str
    request: Any
    metadata: Mapping[str, str]
    at: float
    status: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong on purpose, for the calls that it matches.

    Attributes:
        method: glob on `package.Service/Method`.
        kind: what goes wrong. A `late` call fails, and is carried out once `Wire.land` says so; an `empty` answer has
            nothing in it, which only gRPC can have.
        code: name of the gRPC status, for an error.
        message: text of the error.
        times: how many calls it hits; None means all.
        skip: how many matching calls pass before the first hit.
        seconds: how long a `hang` or `slow` call takes.
        routed: glob on the routing header, which names the region or the resource: `*us-east1*`.
        asked: glob on the request as text: `*resource_name*`.
    """

    method: str
    kind: Kind
    code: str = "UNAVAILABLE"
    message: str = "planted by the sandbox"
    times: int | None = 1
    skip: int = 0
    seconds: float = 30.0
    routed: str = "*"
    asked: str = "*"


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody else does at the very moment of one call, once.

    Attributes:
        method: glob on `package.Service/Method`.
        act: what is done; the call goes on when it is over. It may call the sandbox itself.
        moment: `before` the call is carried out, or `after`, when it is and nobody has been answered yet.
        skip: how many matching calls pass before it.
        routed: glob on the routing header, which names the region or the resource: `*us-east1*`.
    """

    method: str
    act: Callable[[], object]
    moment: Literal["before", "after"] = "before"
    skip: int = 0
    routed: str = "*"


@dataclass
class _Planted:
    fault: Fault
    seen: int = 0
    used: int = 0

    def takes(self, method: str, routing: str, request: object) -> bool:
        """Whether this call is one that the fault falls on."""
        if not fnmatch.fnmatchcase(method, self.fault.method) or not fnmatch.fnmatchcase(routing, self.fault.routed):
            return False
        if self.fault.asked != "*" and not fnmatch.fnmatchcase(str(request), self.fault.asked):
            return False
        self.seen += 1
        if self.seen <= self.fault.skip or (self.fault.times is not None and self.used >= self.fault.times):
            return False
        self.used += 1
        return True


class Wire:
    """Journal and fault injector, shared by every server of one sandbox. Safe between threads."""

    def __init__(self, latencies: Mapping[str, float] | None = None) -> None:
        """`latencies` maps method globs to seconds."""
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._planted: list[_Planted] = []
        self._meanwhile: list[tuple[_Planted, Meanwhile]] = []
        self._watchers: list[tuple[str, Callable[[Call], None]]] = []
        self._late: list[Callable[[], Any]] = []
        self._latencies = dict(latencies or {})
        self._stopped = False
        self._waiting: set[threading.Event] = set()
        self.processor = 0.0
        """Seconds of the processor that the answers took: what is measured beside a sandbox is without them."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call so far, in the order of arrival."""
        with self._lock:
            return tuple(self._calls)

    def calls_to(self, glob: str) -> tuple[Call, ...]:
        """The calls whose method fits, such as `*/UpdateService`."""
        return tuple(call for call in self.calls if fnmatch.fnmatchcase(call.method, glob))

    def inject(self, *faults: Fault) -> None:
        """Plant faults; each call takes the first that fits."""
        with self._lock:
            self._planted += [_Planted(fault) for fault in faults]

    def meanwhile(self, *others: Meanwhile) -> None:
        """Have somebody else act at the moment of a call; each call takes the first that fits."""
        with self._lock:
            self._meanwhile += [
                (_Planted(Fault(one.method, "slow", skip=one.skip, routed=one.routed)), one) for one in others
            ]

    def clear_faults(self) -> None:
        """From now on nothing goes wrong."""
        with self._lock:
            self._planted.clear()

    def watch(self, glob: str, then: Callable[[Call], None]) -> None:
        """From now on this is done as a call that fits arrives, before it is answered; it may raise Refusal."""
        with self._lock:
            self._watchers.append((glob, then))

    def land(self) -> None:
        """Carry out what came `late`, as the world now stands."""
        with self._lock:
            late, self._late = self._late, []
        for answer in late:
            answer()

    def delay(self, glob: str, seconds: float) -> None:
        """From now on calls that fit take this long."""
        with self._lock:
            self._latencies[glob] = seconds

    def stop(self) -> None:
        """Let every call that hangs go."""
        with self._lock:
            self._stopped = True
            for waiting in self._waiting:
                waiting.set()

    def serve(
        self,
        method: str,
        request: Any,  # noqa: ANN401
        metadata: Mapping[str, str],
        answer: Callable[[], T],
        gone: threading.Event | None = None,
    ) -> T:
        """Journal the call, apply what was planted for it, and answer; `gone` is set when the caller gives up."""
        gone, began = gone or threading.Event(), time.thread_time()
        with self._lock:
            number = len(self._calls)
            call = Call(number, method, request, metadata, time.monotonic())
            self._calls.append(call)
            self._waiting.add(gone)
            if self._stopped:
                gone.set()
            routing = metadata.get("x-goog-request-params", "")
            fault = next((one.fault for one in self._planted if one.takes(method, routing, request)), None)
            other = next((one for planted, one in self._meanwhile if planted.takes(method, routing, request)), None)
            watchers = [then for glob, then in self._watchers if fnmatch.fnmatchcase(method, glob)]
            if fault is not None and fault.kind == "late":
                self._late.append(answer)
            latency = sum(seconds for glob, seconds in self._latencies.items() if fnmatch.fnmatchcase(method, glob))
        status = "UNKNOWN"
        try:
            for then in watchers:
                then(call)
            if latency:
                gone.wait(latency)
            if other is not None and other.moment == "before":
                other.act()
            answered = answer() if fault is None else _spoil(fault, answer, gone)
            if other is not None and other.moment == "after":
                other.act()
            status = "OK"
        except Refusal as refusal:
            status = refusal.code
            raise
        finally:
            with self._lock:
                self._waiting.discard(gone)
                self.processor += time.thread_time() - began
                self._calls[number] = replace(self._calls[number], status=status)
        return answered


def _spoil(fault: Fault, answer: Callable[[], T], gone: threading.Event) -> T:
    if fault.kind in ("hang", "slow"):
        gone.wait(fault.seconds)
    if fault.kind == "slow":
        return answer()
    if fault.kind == "malformed":
        raise Malformed
    if fault.kind == "empty":
        raise Empty
    if fault.kind == "lost_answer":
        answer()
    code = {"hang": "DEADLINE_EXCEEDED", "reset": "UNAVAILABLE"}.get(fault.kind, fault.code)
    raise Refusal(code, fault.message)


def generic_handler(service: str, wire: Wire, methods: Methods) -> grpc.GenericRpcHandler:
    """A gRPC handler for the methods of one service, of proto-plus or of plain protobuf messages."""
    return grpc.method_handlers_generic_handler(
        service, {name: _handler(f"{service}/{name}", wire, *method) for name, method in methods.items()}
    )


def _handler(method: str, wire: Wire, request_type: Any, response_type: Any, answer: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    def call(request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 - protobuf messages
        metadata = {str(key): str(value) for key, value in context.invocation_metadata()}
        gone = threading.Event()
        context.add_callback(gone.set)
        try:
            return wire.serve(method, request, metadata, lambda: answer(request), gone)
        except Refusal as refusal:
            context.abort(grpc.StatusCode[refusal.code], refusal.message)
        except Malformed:
            return None
        except Empty:
            return response_type()

    def serialize(response: Any) -> bytes:  # noqa: ANN401
        if response is None:
            return b"\xff\xff\xff\xff not protobuf"
        plus = hasattr(response_type, "serialize")
        return bytes(response_type.serialize(response) if plus else response.SerializeToString())

    read = request_type.deserialize if hasattr(request_type, "deserialize") else request_type.FromString
    return grpc.unary_unary_rpc_method_handler(call, request_deserializer=read, response_serializer=serialize)
