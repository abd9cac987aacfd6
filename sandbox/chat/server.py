"""A server on loopback for Slack, Google Chat, PagerDuty and a program behind a signed webhook, each below its path."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from sandbox.chat.rules import google_chat_faults, pagerduty_faults, slack_faults, slack_update_faults

TOKEN, ROUTING_KEY, WEBHOOK_KEY = "a-slack-token", "0123456789abcdef0123456789abcdef", "a-webhook-key"
CHANNEL = "C0123456789"
_FRESH_SECONDS = 300
Answer = tuple[int, Any]


@dataclass
class Alert:
    """An alert of PagerDuty: how it stands, and the events that were applied to it."""

    status: str
    events: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass
class Chats:
    """What came, place by place, and what is answered instead.

    Attributes:
        now_s: the time of the program behind the webhook, seconds since 1970.
        origin: where it listens.
        slack_webhook: messages to Slack's incoming webhook.
        slack_messages: stamp of a message to that message as it is now, and its thread after it.
        slack_calls: methods of Slack's API that were carried out, with their bodies.
        threads: key of a thread of Google Chat to its messages.
        alerts: PagerDuty's alerts by their deduplication keys.
        dropped: PagerDuty's events that no open alert was there for.
        hooked: bodies whose signature held.
        refused: why something was not taken.
        next: path to status and headers of the next answers.
    """

    now_s: Callable[[], float]
    origin: str = ""
    slack_webhook: list[Mapping[str, Any]] = field(default_factory=list)
    slack_messages: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    slack_calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    threads: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    dropped: list[Mapping[str, Any]] = field(default_factory=list)
    hooked: list[Mapping[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    next: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)

    def answer(self, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], data: bytes) -> Answer:
        """What the real one would answer."""
        body = json.loads(data)
        if path == "/slack":
            return self._slack_webhook(body)
        if path.startswith("/api/"):
            return 200, self._slack_api(path.removeprefix("/api/"), headers, body)
        if path == "/chat":
            return self._google_chat(query, body)
        if path == "/pagerduty":
            return self._pagerduty(body)
        return self._webhook(headers, data) if path == "/hook" else (404, {})

    def _no(self, status: int, faults: list[str]) -> Answer:
        self.refused += faults
        return status, {"errors": faults}

    def _slack_webhook(self, body: Mapping[str, Any]) -> Answer:
        if faults := slack_faults(body):
            return self._no(400, faults)
        self.slack_webhook.append(body)
        return 200, "ok"

    def _slack_api(self, method: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Mapping[str, Any]:
        stamp = str(body.get("ts") or body.get("thread_ts") or "")
        error = ""
        if headers.get("authorization") != f"Bearer {TOKEN}":
            error = "invalid_auth"
        elif body.get("channel") != CHANNEL:
            error = "channel_not_found"
        elif faults := slack_faults(body):
            error = "invalid_blocks"
            self.refused += faults
        elif method == "chat.update" and stamp not in self.slack_messages:
            error = "message_not_found"
        elif method == "chat.update" and (faults := slack_update_faults(body)):
            error = faults[0]
            self.refused += faults
        elif stamp and stamp not in self.slack_messages:
            error = "thread_not_found"
        if error:
            return {"ok": False, "error": error}
        self.slack_calls.append((method, body))
        if method == "chat.update":
            self.slack_messages[stamp][0] = body
            return {"ok": True, "ts": stamp, "channel": CHANNEL}
        new = f"1700000000.{len(self.slack_calls):06d}"
        self.slack_messages.setdefault(stamp or new, []).append(body)
        return {"ok": True, "ts": new, "channel": CHANNEL}

    def _google_chat(self, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> Answer:
        if faults := google_chat_faults(body):
            return self._no(400, faults)
        threaded = query.get("messageReplyOption") == ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"]
        key = query.get("threadKey", [""])[0] if threaded else f"new {len(self.threads)}"
        self.threads.setdefault(key, []).append(body)
        return 200, {"name": "spaces/A/messages/B", "thread": {"name": f"spaces/A/threads/{key}"}}

    def _pagerduty(self, event: Mapping[str, Any]) -> Answer:
        if faults := pagerduty_faults(event):
            return self._no(400, faults)
        key, action = event["dedup_key"], event["event_action"]
        alert = self.alerts.get(key)
        if action == "trigger" and (alert is None or alert.status == "resolved"):
            alert = self.alerts[key] = Alert("triggered", alert.events if alert else [])
        if alert is None or alert.status == "resolved":
            self.dropped.append(event)
        else:
            alert.events.append(event)
            alert.status = {"acknowledge": "acknowledged", "resolve": "resolved"}.get(action, alert.status)
        return 202, {"status": "success", "message": "Event processed", "dedup_key": key}

    def _webhook(self, headers: Mapping[str, str], data: bytes) -> Answer:
        at = headers.get("firebreak-timestamp", "")
        signed = hmac.new(WEBHOOK_KEY.encode(), f"v1.{at}.".encode() + data, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get("firebreak-signature", ""), f"v1={signed}"):
            return self._no(401, ["the signature is another"])
        if abs(self.now_s() - int(at)) > _FRESH_SECONDS:
            return self._no(401, ["the signature is old"])
        self.hooked.append(json.loads(data))
        return 204, ""


@contextmanager
def chats(now_s: Callable[[], float]) -> Iterator[Chats]:
    """The server; `now_s` is the time of the program behind the webhook, seconds since 1970."""
    state = Chats(now_s)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            path, _, query = self.path.partition("?")
            headers = {key.lower(): value for key, value in self.headers.items()}
            planned = state.next.get(path)
            status, said = planned.pop(0) if planned else (0, {})
            answer = ""
            if not status:
                status, body = state.answer(path, parse_qs(query), headers, data)
                answer, said = body if isinstance(body, str) else json.dumps(body), {}
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer.encode())), **said}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    state.origin = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
