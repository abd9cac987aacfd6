"""What Slack, Google Chat and PagerDuty refuse, by the limits that firebreak/core/messages/limits.py names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from firebreak.core.messages.limits import most

_SLACK_BLOCKS = {
    "header": {"type", "text"},
    "rich_text": {"type", "elements"},
    "context": {"type", "elements"},
}
_RICH = {"rich_text_section", "rich_text_preformatted", "rich_text_list", "rich_text_quote"}
_INLINE = {"text": {"type", "text", "style"}, "link": {"type", "url", "text", "style"}}
_STYLES = {"bold", "italic", "strike", "code"}
_CONTROL = re.compile(r"&(?!amp;|lt;|gt;)|[<>]")
_TAG = re.compile(r"</?([a-z]+)")
_WIDGETS = {"decoratedText", "textParagraph", "buttonList", "divider", "image"}
_SEVERITIES = {"critical", "error", "warning", "info"}


def slack_faults(body: Mapping[str, Any]) -> list[str]:
    """Why Slack would not take this message, or would read markup in it."""
    found = list(_slack_blocks(body.get("blocks", ())))
    text = body.get("text")
    if not isinstance(text, str) or not text:
        found.append("no_text")
    elif len(text) > most("slack.text") or _CONTROL.search(text):
        found.append("text: too long, or with a control character that is none of ours")
    return found


def slack_update_faults(body: Mapping[str, Any]) -> list[str]:
    """Why Slack would not bring a message up to date so, though it might take it as a new one."""
    return ["msg_too_long"] if len(str(body.get("text", "")).encode()) > most("slack.updated_text") else []


def _slack_blocks(blocks: Any) -> Iterator[str]:  # noqa: ANN401 - whatever came
    if len(blocks) > most("slack.blocks"):
        yield f"{len(blocks)} blocks"
    if len(json.dumps(blocks, ensure_ascii=False)) > most("slack.all_blocks"):
        yield "msg_blocks_too_long"
    for block in blocks:
        known = _SLACK_BLOCKS.get(block.get("type"))
        if known is None or block.keys() != known:
            yield f"invalid_blocks: {block.get('type')} {sorted(block)}"
        else:
            yield from _inside(block)


def _inside(block: Mapping[str, Any]) -> Iterator[str]:
    if block["type"] == "header":
        yield from _plain(block["text"], most("slack.header"))
        return
    if block["type"] == "context" and not 0 < len(block["elements"]) <= most("slack.context"):
        yield "context: elements"
    for one in block["elements"]:
        yield from _rich(one) if block["type"] == "rich_text" else _plain(one, most("slack.element"))


def _plain(text: Mapping[str, Any], longest: int) -> Iterator[str]:
    if text.get("type") != "plain_text" or not 0 < len(text.get("text", "")) <= longest:
        yield f"plain_text: {text}"


def _rich(element: Mapping[str, Any]) -> Iterator[str]:
    if element.get("type") not in _RICH or not element.get("elements"):
        yield f"rich_text: {element.get('type')} without elements"
        return
    for one in element["elements"]:
        known = _INLINE.get(one.get("type"))
        if known is None or not one.keys() <= known or not set(one.get("style", ())) <= _STYLES:
            yield f"rich_text: {one}"
        elif not 0 < len(one["text"]) <= most("slack.element"):
            yield "rich_text: a text of no or too many characters"


def google_chat_faults(body: Mapping[str, Any]) -> list[str]:
    """Why Google Chat would not take this message, or would leave a part of it out."""
    return list(_google_chat(body))


def _google_chat(body: Mapping[str, Any]) -> Iterator[str]:
    if not body.keys() <= {"text", "fallbackText", "cardsV2", "thread"}:
        yield f"unknown fields: {sorted(body)}"
    if len(json.dumps(body, ensure_ascii=False).encode()) > most("google_chat.message"):
        yield "the message is too large"
    if len(body.get("thread", {}).get("threadKey", "")) > most("google_chat.thread_key"):
        yield "the thread's key is too long"
    for one in body.get("cardsV2", ()):
        widgets = [widget for section in one["card"].get("sections", ()) for widget in section["widgets"]]
        if not one.get("cardId") or not one["card"].get("header", {}).get("title"):
            yield "a card without id or title"
        if len(widgets) > most("google_chat.widgets"):
            yield f"{len(widgets)} widgets"
        for widget in widgets:
            yield from _widget(widget)


def _widget(widget: Mapping[str, Any]) -> Iterator[str]:
    if len(widget) != 1 or not widget.keys() <= _WIDGETS:
        yield f"unknown widget: {sorted(widget)}"
    for kind in ("decoratedText", "textParagraph"):
        text = widget.get(kind, {}).get("text", "-")
        if not text or set(_TAG.findall(text)) - {"br"}:
            yield f"{kind}: empty, or with a tag that is none of ours: {text[:80]}"
    for button in widget.get("buttonList", {}).get("buttons", ()):
        if not button["text"] or not button["onClick"]["openLink"]["url"].startswith("https://"):
            yield f"button: {button}"


def pagerduty_faults(event: Mapping[str, Any]) -> list[str]:
    """Why PagerDuty would answer 400."""
    return list(_pagerduty(event))


def _pagerduty(event: Mapping[str, Any]) -> Iterator[str]:
    if len(str(event.get("routing_key", ""))) != most("pagerduty.routing_key"):
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' is invalid"
    if len(event.get("dedup_key", "")) > most("pagerduty.dedup_key"):
        yield "'dedup_key' is too long"
    if len(json.dumps(event, ensure_ascii=False).encode()) > most("pagerduty.event"):
        yield "the event is too large"
    if event.get("event_action") != "trigger":
        if not event.get("dedup_key"):
            yield "'dedup_key' is missing or blank"
        return
    payload = event.get("payload", {})
    if not 0 < len(payload.get("summary", "")) <= most("pagerduty.summary") or not payload.get("source"):
        yield "'payload.summary' or 'payload.source' is missing, or too long"
    if payload.get("severity") not in _SEVERITIES:
        yield "'payload.severity' is invalid"
