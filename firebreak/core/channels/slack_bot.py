"""Slack, by an app's token: one message an incident, brought up to date, and below it a thread of what happened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from firebreak.core.channels import slack
from firebreak.core.errors import Denied, Refused, Transient
from firebreak.core.messages.delivery import Address, Request, ThreadLost, answered, json_request
from firebreak.core.messages.message import Message
from firebreak.core.messages.plain_text import entities

_API = "https://slack.com/api"
_WORD = re.compile(r"[a-z_]{1,60}")
_STAMP = re.compile(r"[0-9]{1,20}\.[0-9]{1,10}")
_PASSES = frozenset(
    ("fatal_error", "internal_error", "rate_limited", "ratelimited", "request_timeout", "service_unavailable")
)
_DENIED = frozenset({"account_inactive", "invalid_auth", "missing_scope", "not_in_channel", "token_revoked"})
_LOST = frozenset({"cant_update_message", "edit_window_closed", "message_not_found", "thread_not_found"})


class SlackBot:
    """The secret is the app's token with `chat:write`; `channel` is the channel's id."""

    parameters = frozenset({"channel", "url"})
    required = frozenset({"channel"})
    secret_is_url = False
    people = True

    def requests(self, message: Message, to: Address) -> tuple[Request, ...]:
        """The first message; later that message as it is now, and in its thread what happened.

        Nobody is told of an update, so that a reply says it; where somebody is needed the whole channel sees it.
        """
        whole = slack.body(message)
        if not to.thread:
            return (_call("chat.postMessage", to, whole),)
        said = "\n".join(filter(None, (message.title, message.now, message.answered, f"until: {message.until}")))
        reply = {
            "text": entities(said),
            "mrkdwn": False,
            "thread_ts": to.thread,
            "reply_broadcast": message.urgency == "act",
            "unfurl_links": False,
        }
        return (_call("chat.update", to, {**whole, "ts": to.thread}), _call("chat.postMessage", to, reply))

    def taken(self, answer: bytes, to: Address) -> str:
        """The first message's stamp, by which it is brought up to date."""
        said = answered(answer, "Slack")
        if said.get("ok") is True:
            stamp = said.get("ts")
            return to.thread or (stamp if isinstance(stamp, str) and _STAMP.fullmatch(stamp) else "")
        raise _fault(str(said.get("error")), to)


def _call(method: str, to: Address, body: Mapping[str, Any]) -> Request:
    headers = {"Authorization": f"Bearer {to.secret}"}
    return json_request(f"{to.url or _API}/{method}", {"channel": to.channel, **body}, headers)


def _fault(error: str, to: Address) -> Exception:
    word = error if _WORD.fullmatch(error) else "something else than ok"
    text = f"Slack answers {word}"
    if to.thread and word in _LOST:
        return ThreadLost(text)
    if word in _PASSES:
        return Transient(text)
    return Denied(text) if word in _DENIED else Refused(text)


channel = SlackBot()
