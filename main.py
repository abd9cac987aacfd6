"""Entry points: Pub/Sub messages in, acknowledgement or redelivery out; nothing else leaves in an HTTP answer."""

from __future__ import annotations

import base64
import binascii
import functools
import sys
from typing import TYPE_CHECKING, Any

import functions_framework

from settings import SettingsFault, read_settings

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent

    from app import App


class Redeliver(Exception):  # noqa: N818 - the only thing the framework may show: it carries no detail
    """Answered with 500, so that Pub/Sub delivers the message again."""


@functools.cache
def _settings_checked() -> None:
    """Refuse to start on settings or policies that do not load, with every fault at once."""
    from app import load_policies  # noqa: PLC0415 - Google's clients come with it, and are not needed to import main
    from core.faults import Faults  # noqa: PLC0415

    try:
        load_policies(read_settings().policies)
    except (SettingsFault, Faults, OSError) as fault:
        sys.exit(f"Firebreak does not start:\n{fault}")


@functools.cache
def _app() -> App:
    """Built on the first message, after the server has forked."""
    from app import build  # noqa: PLC0415

    return build(read_settings())


@functions_framework.cloud_event
def on_finding(event: CloudEvent) -> None:
    """One SCC notification. Returning acknowledges it; raising asks for another delivery."""
    from core.errors import Transient  # noqa: PLC0415
    from core.finding import Malformed  # noqa: PLC0415
    from pipeline import respond  # noqa: PLC0415
    from stages.dead_letter import bury  # noqa: PLC0415

    app = _app()
    try:
        respond(app, message_data(event.data))
    except Malformed as fault:
        bury(app, event.data, str(fault))
    except Transient as fault:
        app.say("WARNING", f"to be delivered again: {fault}", message_id=str(event["id"]))
        raise Redeliver from None
    except Exception as fault:  # noqa: BLE001 - the last resort: our own bug must be redelivered, and tell nothing
        app.say("ERROR", f"a fault in Firebreak itself: {type(fault).__name__}: {fault}", message_id=str(event["id"]))
        raise Redeliver from None


def message_data(data: Any) -> bytes:  # noqa: ANN401 - whatever JSON the request carried
    """The bytes of the Pub/Sub message in an event; raises Malformed if it has none."""
    from core.finding import Malformed  # noqa: PLC0415

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


_settings_checked()
