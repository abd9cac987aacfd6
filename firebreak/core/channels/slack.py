"""Slack, by an incoming webhook: one message for each announcement, which nothing can change any more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from firebreak.core.incidents.next_steps import NextStep
from firebreak.core.messages.delivery import Address, Request, json_request
from firebreak.core.messages.limits import most
from firebreak.core.messages.message import Message
from firebreak.core.messages.plain_text import entities, plain_text

Block = dict[str, Any]


class SlackWebhook:
    """The secret is the webhook's address, which names the channel."""

    parameters = frozenset[str]()
    required = frozenset[str]()
    secret_is_url = True
    people = True

    def requests(self, message: Message, to: Address) -> tuple[Request, ...]:
        """One message."""
        return (json_request(to.secret, body(message)),)

    def taken(self, answer: bytes, to: Address) -> str:  # noqa: ARG002 - one shape; Slack answers `ok`, and no more
        """Nothing: a webhook's message has no name."""
        return ""


def body(message: Message) -> Block:
    """Blocks for people, and text for notifications; Slack reads no markup in either.

    In rich text every text is literal. `text` is not: its three control characters are entities, its markup is off.
    """
    return {
        "text": plain_text(message, most("slack.updated_text"), entities),
        "blocks": blocks(message),
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def blocks(message: Message) -> list[Block]:
    """The message in Block Kit, the most important first; what does not fit is left out from the end."""
    made = list(_blocks(message))
    while len(json.dumps(made, ensure_ascii=False)) > most("slack.all_blocks"):
        made.pop()
    return made


def _blocks(message: Message) -> Iterator[Block]:
    title = {"type": "plain_text", "text": message.title[: most("slack.header")], "emoji": False}
    yield {"type": "header", "text": title}
    asked = [("now", message.now), ("asked of you", message.asked), ("until", message.until)]
    if message.answered:
        asked.insert(1, ("answered", message.answered))
    commands = [part for step in message.steps for part in _command(step)]
    yield _rich(_section(_labelled(asked)), _section(commands))
    facts = [*((row.word, row.text) for row in message.facts), *([("why", message.why)] if message.why else [])]
    yield _rich(_section(_labelled(facts)))
    links = [[{"type": "link", "url": one.url, "text": one.name}, _text("  ")] for one in message.links]
    yield _rich(_section([part for link in links for part in link]))
    if message.changes:
        yield _rich(_section(_labelled([("settings", "")])), *_lines(message.changes))
    yield _rich(_section(_labelled([("undo", message.undo_by)])), *_lines(message.undo))
    if message.still_open:
        yield _rich(_section(_labelled([("still open", "")])), *_lines(message.still_open))
    last = [f"incident {message.incident} ({message.id})", *([f"last: {message.last}"] if message.last else [])]
    yield {"type": "context", "elements": [{"type": "plain_text", "text": one, "emoji": False} for one in last]}


def _command(step: NextStep) -> list[Block]:
    effect = f" {step.effect}\n" if step.effect else "\n"
    return [_text(f"{step.word}: ", bold=True), _text(step.command, code=True), _text(effect)]


def _labelled(rows: Sequence[tuple[str, str]]) -> list[Block]:
    return [
        part
        for word, text in rows
        for part in (_text(f"{word}: ", bold=True), *([_text(text)] if text else []), _text("\n"))
    ]


def _lines(texts: Sequence[str]) -> list[Block]:
    return [{"type": "rich_text_preformatted", "elements": [_text("\n".join(texts))]}] if texts else []


def _section(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def _rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _text(text: str, *, bold: bool = False, code: bool = False) -> Block:
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    return {"type": "text", "text": text[: most("slack.element")], **({"style": style} if style else {})}


channel = SlackWebhook()
