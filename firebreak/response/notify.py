"""A message to one channel: composed from the incident as it is now, shown as that kind of channel shows it, sent."""

from __future__ import annotations

from firebreak.core.channels import channel
from firebreak.core.errors import Refused
from firebreak.core.incidents.incident import Announcement, Incident
from firebreak.core.messages.composing import compose
from firebreak.core.messages.delivery import Address
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

_OWN = {"slack": "slack", "chat": "google_chat"}
"""Channels that the environment sets, and their kinds."""


def notify(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> None:
    """Send one announcement; raises Busy, Transient, Refused."""
    kind, to = _address(app, one.channel)
    place = channel(kind)
    message = compose(incident, f"{incident.id}/{one.number}/{one.channel}")
    for request in place.requests(message, to):
        place.taken(app.post(request, deadline), to)


def _address(app: App, name: str) -> tuple[str, Address]:
    webhook = app.settings.slack_webhook if name == "slack" else app.settings.chat_webhook
    if webhook is None:
        message = "no such webhook is configured any more"
        raise Refused(message)
    return _OWN[name], Address(webhook)
