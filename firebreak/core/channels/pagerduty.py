"""PagerDuty, by its Events API v2: an alert for each need, triggered, acknowledged by an answer, resolved by its end.

An alert that is acknowledged pages nobody again. So what needs a person anew, another question or a failure, is an
alert of its own, and the one before it is resolved.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from firebreak.core.errors import Transient
from firebreak.core.incidents.phase import ENDED, WORKING
from firebreak.core.messages.delivery import Address, Request, answered, json_request
from firebreak.core.messages.limits import most
from firebreak.core.messages.message import Message
from firebreak.core.messages.plain_text import plain_text

_EVENTS = "https://events.pagerduty.com/v2/enqueue"
_SEVERITIES = {"act": "critical", "look": "warning", "know": "info", "over": "info"}
_DETAILS = 8000
_KEY = re.compile(rf"[!-~]{{1,{most('pagerduty.dedup_key')}}}")
_SHORT = 12
Action = Literal["trigger", "acknowledge", "resolve"]


class PagerDuty:
    """The secret is the integration's routing key; `url` is that of another region."""

    parameters = frozenset({"url"})
    required = frozenset[str]()
    secret_is_url = False
    people = True

    def requests(self, message: Message, to: Address) -> tuple[Request, ...]:
        """One event, and before it the end of an alert that is over; none where nobody has to be paged, or was."""
        action = _action(message, paged=bool(to.thread))
        if action is None:
            return ()
        key = _dedup_key(message, to.thread)
        event: dict[str, Any] = {"routing_key": to.secret, "event_action": action, "dedup_key": key}
        over = {**event, "event_action": "resolve", "dedup_key": to.thread} if to.thread not in ("", key) else None
        if action == "trigger":
            facts = {row.word: row.text for row in message.facts}
            event |= {
                "client": "Firebreak",
                "links": [{"href": one.url, "text": one.name} for one in message.links],
                "payload": {
                    "summary": message.title[: most("pagerduty.summary")],
                    "source": facts.get("where", "Cloud Run"),
                    "severity": _SEVERITIES[message.urgency],
                    "class": facts.get("what", ""),
                    "custom_details": {"message": plain_text(message, _DETAILS).splitlines()},
                },
            }
        return tuple(json_request(to.url or _EVENTS, one) for one in (over, event) if one)

    def taken(self, answer: bytes, to: Address) -> str:  # noqa: ARG002 - one shape
        """The alert's key: from then on there is one to acknowledge and to resolve."""
        key = answered(answer, "PagerDuty").get("dedup_key")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            text = "PagerDuty answers no alert's key"
            raise Transient(text)
        return key


def _action(message: Message, *, paged: bool) -> Action | None:
    """What becomes of the alert: it is over only where nobody is needed any more."""
    if message.urgency == "act":
        return "trigger"
    if message.phase in ENDED:
        return "resolve" if paged else None
    if message.phase in WORKING or (paged and message.answered):
        return "acknowledge" if paged else None
    return "trigger"


def _dedup_key(message: Message, known: str) -> str:
    """The alert's key: of the need that there is, else of the alert that there was."""
    if message.urgency == "act":
        return f"firebreak/{message.incident}/{message.question[:_SHORT] or message.phase}"
    return known or f"firebreak/{message.incident}"


channel = PagerDuty()
