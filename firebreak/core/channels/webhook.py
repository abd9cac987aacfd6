"""Any program, by a signed webhook: the whole message as JSON, with a signature over the time and the body."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict

from firebreak.core.messages.delivery import Address, Request, json_request
from firebreak.core.messages.message import Message

VERSION = "v1"


class Webhook:
    """The secret is the key that both sides know; `url` is where the program listens."""

    parameters = frozenset({"url"})
    required = frozenset({"url"})
    secret_is_url = False
    people = False

    def requests(self, message: Message, to: Address) -> tuple[Request, ...]:
        """One request. Its receiver goes by the message's id: the same one may come twice."""
        unsigned = json_request(to.url, {"version": VERSION, **asdict(message)})
        signed = {
            "Firebreak-Timestamp": str(to.at_s),
            "Firebreak-Signature": f"{VERSION}={signature(to.secret, to.at_s, unsigned.body)}",
            "Firebreak-Message": message.id,
        }
        return (Request(to.url, unsigned.body, {**unsigned.headers, **signed}),)

    def taken(self, answer: bytes, to: Address) -> str:  # noqa: ARG002 - one shape; a status of success is all
        """Nothing."""
        return ""


def signature(key: str, at_s: int, body: bytes) -> str:
    """HMAC-SHA256 in hex over version, time and body, with a full stop between them."""
    signed = f"{VERSION}.{at_s}.".encode() + body
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


channel = Webhook()
