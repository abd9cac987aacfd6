"""JSON Schema of `notify` in `firebreak.yaml`, made from what its reader goes by."""

from __future__ import annotations

from firebreak.core.channels import found
from firebreak.core.messages.delivery import Channel
from firebreak.core.policy.routing import OWN_CHANNELS
from firebreak.core.web_address import URL
from firebreak.policy_language.reading.routing import NAME, PLACE, SECRET
from firebreak.policy_language.schema.policies import Schema, closed, described, duration, whole

_NAMES: Schema = {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": whole(NAME)}}
_ROUTES: Schema = {"type": "object", "additionalProperties": _NAMES}
_TEXTS: Schema = {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": r"\S"}}
_ADDRESS: Schema = {"type": "string", "pattern": whole(URL)}


def routing_schema() -> Schema:
    """Channels, and who is told what on which of them."""
    named = {"allOf": [{"pattern": whole(NAME)}, {"not": {"enum": list(OWN_CHANNELS)}}]}
    channels: Schema = {
        "type": "object",
        "propertyNames": named,
        "additionalProperties": {"anyOf": [_channel(kind, one) for kind, one in found().working.items()]},
    }
    addressed: Schema = {"properties": {"channels": {"propertyNames": {"pattern": "@"}}}}
    owners = closed({"labels": _TEXTS, "channels": _ROUTES}, "channels") | {
        "anyOf": [{"required": ["labels"]}, addressed]
    }
    escalation = closed({"after": duration("Counted from when it was first put."), "to": _NAMES}, "after", "to")
    return closed(
        {
            "channels": described(channels, "Channels by name."),
            "routes": described(_ROUTES, "A policy's notify label, or default, to channels."),
            "owners": described(owners, "Owners' channels, by a label of the workload or by an Essential Contact."),
            "remind_after": duration("A question without an answer is told again where it was told."),
            "escalate": described({"type": "array", "items": escalation}, "Who is told besides, after how long."),
            "runbook": described(_ADDRESS, "Your own page, linked in every message."),
        }
    )


def _channel(kind: str, known: Channel) -> Schema:
    parts: Schema = {
        "kind": {"const": kind},
        "secret": described(
            {"type": "string", "pattern": whole(SECRET)}, "The environment variable that holds the secret."
        ),
        "url": _ADDRESS,
        "channel": {"type": "string", "pattern": whole(PLACE)},
    }
    taken = {name: one for name, one in parts.items() if name in ("kind", "secret") or name in known.parameters}
    return closed(taken, "kind", "secret", *sorted(known.required))
