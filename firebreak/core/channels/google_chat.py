"""Google Chat, by a space's webhook: a card for each announcement, those of one incident in one thread."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from firebreak.core.messages.delivery import Address, Request, json_request
from firebreak.core.messages.limits import most
from firebreak.core.messages.message import Message
from firebreak.core.messages.plain_text import entities, plain_text

_ROOM = 1000
"""Bytes that are left for what Google puts around a message."""
_FALLBACK = 1000
_REPLY = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"


class GoogleChat:
    """The secret is the webhook's address, which names the space."""

    parameters = frozenset[str]()
    required = frozenset[str]()
    secret_is_url = True
    people = True

    def requests(self, message: Message, to: Address) -> tuple[Request, ...]:
        """One card, in the thread of its incident."""
        mark = "&" if "?" in to.secret else "?"
        threaded = urlencode({"threadKey": message.incident, "messageReplyOption": _REPLY})
        return (json_request(f"{to.secret}{mark}{threaded}", body(message)),)

    def taken(self, answer: bytes, to: Address) -> str:  # noqa: ARG002 - one shape
        """Nothing: the incident's id is the thread's key."""
        return ""


def body(message: Message) -> dict[str, Any]:
    """A card, and text for where no card is shown. What is left out for want of room is left out from the end."""
    sections = list(_sections(message))
    made = _body(message, sections)
    while len(json.dumps(made, ensure_ascii=False).encode()) > most("google_chat.message") - _ROOM:
        sections.pop()
        made = _body(message, sections)
    return made


def _body(message: Message, sections: list[dict[str, Any]]) -> dict[str, Any]:
    word, _, where = message.title.partition(": ")
    card = {"header": {"title": word, "subtitle": where}, "sections": sections}
    return {
        "fallbackText": plain_text(message, _FALLBACK),
        "cardsV2": [{"cardId": message.incident, "card": card}],
        "thread": {"threadKey": message.incident},
    }


def _sections(message: Message) -> Iterator[dict[str, Any]]:
    answered = [_labelled("answered", message.answered)] if message.answered else []
    asked = [_labelled("asked of you", message.asked), _labelled("until", message.until)]
    commands = [_labelled(one.word, one.command, one.effect) for one in message.steps]
    yield {"widgets": [_labelled("now", message.now), *answered, *asked, *commands]}
    why = [_labelled("why", message.why)] if message.why else []
    yield {"widgets": [*(_labelled(one.word, one.text) for one in message.facts), *why]}
    buttons = [{"text": one.name, "onClick": {"openLink": {"url": one.url}}} for one in message.links]
    yield {"widgets": [{"buttonList": {"buttons": buttons}}]}
    if message.changes:
        yield {"header": "settings", "widgets": [_paragraph("\n".join(message.changes))]}
    yield {"header": "undo", "widgets": [_paragraph(one) for one in (message.undo_by, *message.undo)]}
    if message.still_open:
        yield {"header": "still open", "widgets": [_paragraph("\n".join(message.still_open))]}
    last = [_paragraph(f"last: {message.last}")] if message.last else []
    yield {"widgets": [*last, _paragraph(f"incident {message.incident} ({message.id})")]}


def _labelled(word: str, text: str, below: str = "") -> Mapping[str, Any]:
    label = {"bottomLabel": below} if below else {}
    return {"decoratedText": {"topLabel": word, "text": _literal(text), "wrapText": True, **label}}


def _paragraph(text: str) -> Mapping[str, Any]:
    return {"textParagraph": {"text": _literal(text)}}


def _literal(text: str) -> str:
    """A card's text is HTML of a few tags; none can be made of what has no angle brackets."""
    return entities(text).replace("\n", "<br>")


channel = GoogleChat()
