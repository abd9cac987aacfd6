"""Escaping for the places where texts are shown: none of them may read attacker-written text as markup."""

from __future__ import annotations

from firebreak.core.secrets.redaction import safe


def terminal(text: str) -> str:
    """For a terminal: no escape sequence, no control character, one line."""
    return safe(text)


def slack(text: str) -> str:
    """For Slack's mrkdwn: its three control characters as entities, its formatting characters harmless."""
    escaped = safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"{one}\u2060" if one in "*_~`@#" else one for one in escaped)


def google_chat(text: str) -> str:
    """For Google Chat: no link, mention or formatting can be made out of it."""
    escaped = safe(text).replace("<", "(").replace(">", ")")
    return "".join(f"{one}\u2060" if one in "*_~`@" else one for one in escaped)
