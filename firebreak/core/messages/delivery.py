"""How a message gets to a channel: the requests that carry it, and what the answer to each says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from firebreak.core.errors import Transient
from firebreak.core.messages.message import Message

_JSON: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json; charset=UTF-8"})


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP POST. The address and the headers may hold a secret."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON, repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel's messages go.

    Attributes:
        secret: a webhook's address, a token, or a key, as the kind of channel needs.
        url: address of the service, where that is no secret; empty for the kind's own.
        channel: the place within the service, where the kind needs one.
        thread: what `taken` returned for this incident before; empty at first.
        at_s: the time now, seconds since 1970.
    """

    secret: str = field(repr=False)
    url: str = ""
    channel: str = ""
    thread: str = ""
    at_s: int = 0


class ThreadLost(Exception):
    """What was to be brought up to date is not there any more: the message is sent as the first one."""


class Channel(Protocol):
    """One kind of channel: how it shows a message, and what its service answers."""

    parameters: frozenset[str]
    """What `firebreak.yaml` may say of it beside kind and secret: `url`, `channel`."""
    required: frozenset[str]
    """Those of them that it has to say."""
    secret_is_url: bool
    """Whether its secret is the address of a webhook."""
    people: bool
    """Whether people read it: of a storm they get the first question alone."""

    def requests(self, message: Message, to: Address) -> tuple[Request, ...]:
        """What to send, in this order; nothing where this channel has nothing to say of it."""
        ...

    def taken(self, answer: bytes, to: Address) -> str:
        """What a later message of the incident needs to join this one, empty where nothing.

        Raises Refused or Busy where an answer of success says otherwise, and ThreadLost.
        """
        ...


def answered(body: bytes, service: str) -> Mapping[str, Any]:
    """The JSON object that a service answered; raises Transient where it is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        message = f"{service}'s answer cannot be read"
        raise Transient(message)
    return said


def json_request(url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Request:
    """A request that carries JSON."""
    return Request(url, json.dumps(body, ensure_ascii=False).encode(), {**_JSON, **(headers or {})})
