"""Everything else that the product talks to: the vault, the topic, the chat, VirusTotal and Cloud Logging."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.findings.file_report import FileReport, NoReport
from firebreak.core.findings.logs import LogLines, LogQuery, Order
from firebreak.core.messages.delivery import Request
from firebreak.ports.deadline import Deadline

_ENGINES = 48


@dataclass(frozen=True, slots=True)
class Message:
    """What subscribers of the incidents topic got."""

    at_ns: int
    incident: str
    phase: str
    announcement: str


@dataclass
class Outside:
    """What has arrived outside: objects in the vault, messages on the topic, posts in the chat."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    posts: list[Mapping[str, Any]] = field(default_factory=list)

    def copy(self) -> Outside:
        """The same, apart."""
        return Outside(dict(self.objects), list(self.messages), list(self.posts))


@dataclass(frozen=True, slots=True)
class ModelVault:
    """Objects that are made once and never change."""

    outside: Callable[[], Outside]
    uri: str = "model://vault"

    def put(self, folder: str, name: str, data: bytes, deadline: Deadline) -> bool:
        """Make the object; False, and nothing done, where there is one of this name."""
        del deadline
        return self.outside().objects.setdefault((folder, name), data) is data

    def get(self, folder: str, name: str, deadline: Deadline) -> bytes | None:
        """The object, or None."""
        del deadline
        return self.outside().objects.get((folder, name))

    def names(self, folder: str, deadline: Deadline) -> tuple[str, ...]:
        """Everything in the folder."""
        del deadline
        return tuple(name for at, name in self.outside().objects if at == folder)


@dataclass(frozen=True, slots=True)
class ModelTopic:
    """The incidents topic."""

    outside: Callable[[], Outside]
    now_ns: Callable[[], int]

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str], deadline: Deadline) -> None:
        """Publish one message."""
        del topic, deadline
        body = json.loads(data)
        told = Message(self.now_ns(), str(body.get("id")), str(body.get("phase")), attributes.get("announcement", ""))
        self.outside().messages.append(told)


@dataclass(frozen=True, slots=True)
class ModelChat:
    """A chat's webhook."""

    outside: Callable[[], Outside]

    def __call__(self, request: Request, deadline: Deadline) -> bytes:
        """Take one message."""
        del deadline
        self.outside().posts.append(json.loads(request.body))
        return b"ok"


class KnownMalware:
    """VirusTotal, to which every file is malware."""

    def report(self, sha256: str, deadline: float) -> FileReport | NoReport:  # noqa: ARG002 - it answers at once
        """The report."""
        return FileReport(sha256, "malicious", ("48 engines call it malicious",), malicious=_ENGINES)


class NoLogs:
    """Cloud Logging, which holds nothing of anybody."""

    def lines(self, query: LogQuery, order: Order, most: int, seconds: float) -> LogLines:  # noqa: ARG002 - the port's
        """No line, and that is all of them."""
        return LogLines((), whole=True)
