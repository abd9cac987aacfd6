"""Secrets of many kinds, put together here so that no scanner takes them for real ones, and what they are hidden in."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

_MIXED = "q7Zt4mXw9LkR2vBn6HsJ8dPf3cGy5aTe1uKo0iWx"
_UPPER = "Q7ZT4MXW9LKR2VBN6HSJ8DPF3CGY5ATE1UKO0IWX"
_HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SECRETS: dict[str, str] = {
    "Google API key": "AI" + "za" + _MIXED[:35],
    "Google OAuth token": "ya" + "29." + _MIXED,
    "Google client secret": "GOC" + "SPX-" + _MIXED[:28],
    "AWS access key": "AK" + "IA" + _UPPER[:16],
    "GitHub token": "gh" + "p_" + _MIXED[:36],
    "GitHub fine-grained token": "github" + "_pat_" + _MIXED,
    "GitLab token": "gl" + "pat-" + _MIXED[:20],
    "Slack token": "xo" + "xb-2401-" + _MIXED[:24],
    "Slack webhook": "hooks.slack" + ".com/services/T0/B0/" + _MIXED[:24],
    "chat webhook": "chat.googleapis" + ".com/v1/spaces/A/messages?key=" + _MIXED,
    "Stripe key": "sk" + "_live_" + _MIXED[:24],
    "JWT": "ey" + "J" + _MIXED + ".ey" + "J" + _MIXED + "." + _MIXED,
    "SendGrid key": "S" + "G." + _MIXED[:22] + "." + _MIXED,
    "Twilio key": "S" + "K" + _HEX[:32],
    "npm token": "np" + "m_" + _MIXED[:36],
    "PyPI token": "py" + "pi-" + _MIXED,
    "OpenAI key": "s" + "k-proj-" + _MIXED,
    "Vault token": "hv" + "s." + _MIXED,
    "Telegram token": "123456789" + ":AA" + _MIXED[:33],
    "age key": "AGE-SECRET" + "-KEY-1" + _UPPER,
    "bearer": "Authorization: Bear" + "er " + _MIXED[::-1],
    "password in a URL": "postgres://app:" + "Hun7er2-url-" + _HEX[:6] + "@db.internal/x",
    "password": "DB_PASS" + "WORD=Hun7er2-env-" + _HEX[:6],
    "password option": "mysql --pass" + "word Hun7er2-opt-" + _HEX[:6],
    "private key": "-----BEGIN RSA PRIV" + "ATE KEY-----\nMIIE" + _MIXED + "\n-----END RSA PRIV" + "ATE KEY-----",
}
TELLTALES = (_MIXED[:16], _MIXED[::-1][:16], _UPPER[:16], _HEX[:32], "Hun7er2")
"""No output may carry one of these: each secret has at least one in it."""
CONTROLS = "\x1b[31mred\x1b[0m \x07\x00\x9b \u202egpj.exe\u2066 \u200b\ufeff"
TAINT = " ".join((CONTROLS, *SECRETS.values()))

Path = tuple[str | int, ...]


def texts_of(value: Any, at: Path = ()) -> Iterator[Path]:
    """The place of every text in nested JSON."""
    if isinstance(value, str):
        yield at
    children: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in children:
        yield from texts_of(one, (*at, key))


def changed(value: Any, at: Path, change: Callable[[str], str]) -> Any:
    """A copy with one text changed."""
    copied = copy.deepcopy(value)
    inner = copied
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = change(inner[at[-1]])
    return copied


def everywhere(value: Any, leave: frozenset[str]) -> Any:
    """A copy with the taint after every text but those under the keys to leave."""
    if isinstance(value, str):
        return f"{value} {TAINT}"
    if isinstance(value, dict):
        return {key: one if key in leave else everywhere(one, leave) for key, one in value.items()}
    return [everywhere(one, leave) for one in value] if isinstance(value, list) else value
