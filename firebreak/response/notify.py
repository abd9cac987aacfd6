"""A message to one channel: composed from the incident as it is now, shown as that kind of channel shows it, sent."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.channels import channel
from firebreak.core.errors import Refused
from firebreak.core.incidents.announcement import Announcement
from firebreak.core.incidents.incident import Incident
from firebreak.core.messages.composing import compose
from firebreak.core.messages.delivery import Address, Channel, ThreadLost
from firebreak.core.messages.message import Message
from firebreak.core.mode import Mode
from firebreak.core.timestamps import NANOS
from firebreak.core.web_address import is_safe
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

OWN = {"slack": "slack", "chat": "google_chat"}
"""Channels that the environment sets, and their kinds."""


def notify(app: App, incident: Incident, one: Announcement, deadline: Deadline) -> str:
    """Send one announcement; what later ones join. Raises Busy, Transient, Refused."""
    place, to = _place(app, incident, one.channel)
    policy, routing = app.policy_of(incident), app.policies.config.routing
    message = compose(
        incident,
        f"{incident.id}/{one.number}/{one.channel}",
        level=one.level,
        contains=policy is not None and policy.on_expiry == "contain" and policy.mode is Mode.APPROVE,
        releases=policy is not None and policy.release_after is not None,
        runbook=routing.runbook,
        owner_labels=routing.owner_labels,
    )
    try:
        return _posted(app, place, message, to, deadline)
    except ThreadLost:
        return _posted(app, place, message, replace(to, thread=""), deadline)


def _posted(app: App, place: Channel, message: Message, to: Address, deadline: Deadline) -> str:
    for request in place.requests(message, to):
        to = replace(to, thread=place.taken(app.post(request, deadline), to))
    return to.thread


def _place(app: App, incident: Incident, name: str) -> tuple[Channel, Address]:
    own = {"slack": app.settings.slack_webhook, "chat": app.settings.chat_webhook}
    known = app.policies.config.routing.channels.get(name)
    if known is None:
        if not (webhook := own.get(name)):
            message = "no such webhook is configured any more" if name in own else "`firebreak.yaml` no longer lists it"
            raise Refused(message)
        return channel(OWN[name]), Address(webhook)
    found, secret = channel(known.kind), app.settings.channel_secrets.get(known.secret, "")
    if not secret or (found.secret_is_url and not is_safe(secret)):
        message = f"{known.secret} is {'no webhook: https://HOST/…' if secret else 'not set'}"
        raise Refused(message)
    at_s = app.now_ns() // NANOS
    return found, Address(secret, known.url, known.channel, incident.threads.get(name, ""), at_s)
