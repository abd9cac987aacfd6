"""Entry points: Pub/Sub messages in, acknowledgement or redelivery out; nothing else leaves in an HTTP answer."""

from __future__ import annotations

import base64
import binascii
import json
import sys
import threading
import uuid
from collections.abc import Callable
from typing import Any

import flask
import functions_framework
from cloudevents.exceptions import GenericException
from cloudevents.http import CloudEvent

from firebreak import VERSION
from firebreak.adapters.clients import require_packages
from firebreak.adapters.log import log_json
from firebreak.archive import STARTS, contents
from firebreak.bootstrap import build, load_what_findings_need
from firebreak.core.code_location import place
from firebreak.core.diagnostics import Faults
from firebreak.core.errors import Malformed, Transient
from firebreak.core.incidents.command import parse_command
from firebreak.core.policy.policy import PolicySet
from firebreak.core.policy.triage import NO_POLICY
from firebreak.core.timestamps import parse_instant
from firebreak.ledger.records import NotActedOn
from firebreak.policy_folder import broken_plugins, load_policies
from firebreak.response.app import App
from firebreak.response.evidence.dead_letter import send_to_dead_letter
from firebreak.response.pipeline import execute, respond
from firebreak.response.set_aside import set_aside
from firebreak.settings import ROOT, Settings, SettingsFault, read_settings

_METADATA = "X-Goog-Pubsub-"
"""Before the names of the headers in which Pub/Sub writes what its wrapper would say, if it is asked to."""


class Redeliver(Exception):
    """Answered with 500, so that Pub/Sub delivers the message again."""


class Function:
    """Settings and policies, read once at the start, and the application of them, built on the first message.

    By then the server has forked: no connection is made before.
    """

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._lock = threading.Lock()
        self._given: tuple[Settings, PolicySet] | None = None
        self._app: App | None = None

    def start(self) -> tuple[Settings, PolicySet]:
        """Refuse to start on settings or policies that do not load: every fault at once, with file and line."""
        if self._given is None:
            require_packages()
            try:
                settings = read_settings()
                self._given = settings, load_policies(settings.policies, log_json)
            except (SettingsFault, Faults, OSError) as fault:
                # Once for alerts, which know a severity from JSON alone, and once for who looks at a terminal.
                log_json("ERROR", "Firebreak does not start", faults=str(fault).splitlines())
                sys.exit(f"Firebreak does not start:\n{fault}")
            if packed := contents(ROOT):
                log_json("INFO", STARTS, version=VERSION, contents=packed, policy_set=self._given[1].digest)
            _say_what_fails(*self._given)
        return self._given

    def app(self) -> App:
        """The one application of this process."""
        with self._lock:
            if self._app is None:
                self._app = build(*self.start())
                load_what_findings_need(self._app)
            return self._app


def _say_what_fails(settings: Settings, policies: PolicySet) -> None:
    """What keeps nothing else from working; told now, it can be mended before it matters."""
    for why in broken_plugins().values():
        log_json("ERROR", f"a fault in Firebreak itself: {why}; everything else works without it")
    if not policies.policies:
        # Not a reason to end: findings are recorded, and what is not started records nothing.
        log_json("ERROR", NO_POLICY, folder=str(settings.policies))
    for name, one in policies.config.routing.channels.items():
        if one.secret not in settings.channel_secrets:
            log_json("ERROR", f"nobody is told on the channel {name} of firebreak.yaml: {one.secret} is not set")


_function = Function()
Work = Callable[["App", bytes], object]


@functions_framework.cloud_event
def on_finding(event: CloudEvent) -> None:
    """One SCC notification. Returning acknowledges it; raising asks for another delivery."""
    _answer(event, respond)


@functions_framework.cloud_event
def on_command(event: CloudEvent) -> None:
    """One command of a person or a scheduler. Returning acknowledges it; raising asks for another delivery."""
    _answer(event, lambda app, data: execute(app, parse_command(data, str(event["id"]), sent_ns(event.data))))


def _answer(event: CloudEvent, work: Work) -> None:
    """Do the work on the event's message; outages and our own bugs are delivered again, untold."""
    app = _function.app()
    try:
        _read_or_buried(app, event, work)
    except Transient as fault:
        app.log("WARNING", f"to be delivered again: {fault}", message_id=str(event["id"]))
        raise Redeliver from None
    except Exception as fault:  # noqa: BLE001 - the last resort: our own bug must be redelivered, and tell nothing
        what = f"{type(fault).__name__}: {fault} ({place(fault)})"
        app.log("ERROR", f"a fault in Firebreak itself: {what}", message_id=str(event["id"]))
        raise Redeliver from None


def _read_or_buried(app: App, event: CloudEvent, work: Work) -> None:
    try:
        work(app, message_data(event.data))
    except Malformed as fault:
        send_to_dead_letter(app, event.data, str(fault))
    except NotActedOn as fault:
        # Whoever may act on the record goes on with it; another delivery to us would change nothing.
        set_aside(app, fault)
        app.log("ERROR", f"acknowledged, and nothing was done: {fault}", message_id=str(event["id"]))


def unwrapped(_: Exception) -> tuple[str, int]:
    """Answer a request that is no event: what Pub/Sub delivers without its wrapper is read as what would be in it.

    Anything else is kept as it came, and acknowledged. The framework's own answer would carry headers and body.
    """
    request = flask.request
    given = {
        "id": request.headers.get(f"{_METADATA}Message-Id") or uuid.uuid4().hex,
        "type": "message",
        "source": "push",
    }
    message = {
        "data": base64.b64encode(request.get_data()).decode(),
        "publishTime": request.headers.get(f"{_METADATA}Publish-Time"),
    }
    target = on_command if flask.current_app.name == on_command.__name__ else on_finding
    try:
        target(CloudEvent(given, {"message": message}))
    except Redeliver:
        return "", 500
    return "", 200


if flask.has_app_context():
    # functions-framework runs this module within its application's context, when it starts. Whoever else imports it
    # (a tool, a test) wants no policies for that.
    _function.start()
    for _fault in (400, 415, GenericException):
        flask.current_app.register_error_handler(_fault, unwrapped)


def sent_ns(data: Any) -> int | None:  # noqa: ANN401 - whatever JSON the request carried
    """When the Pub/Sub message in an event was published, where its envelope says so."""
    message = data.get("message") if isinstance(data, dict) else None
    try:
        return parse_instant(message["publishTime"]) if isinstance(message, dict) else None
    except (KeyError, TypeError, ValueError):
        return None


def message_data(data: Any) -> bytes:  # noqa: ANN401 - whatever JSON the request carried
    """The bytes of the Pub/Sub message in an event, or of one that is the message itself; raises Malformed if none."""
    if data and isinstance(data, bytes):
        return data
    if data and isinstance(data, dict) and "message" not in data:
        return json.dumps(data).encode()
    message = data.get("message") if isinstance(data, dict) else None
    encoded = message.get("data") if isinstance(message, dict) else None
    if not isinstance(encoded, str) or not encoded:
        text = "the event carries no Pub/Sub message with data"
        raise Malformed(text)
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        text = "the Pub/Sub message's data is not base64"
        raise Malformed(text) from None
