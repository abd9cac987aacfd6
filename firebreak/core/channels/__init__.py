"""Channels for messages, one module each: the module's name is the kind that `firebreak.yaml` names."""

from __future__ import annotations

from firebreak.core.discovery import Found, find, load, modules
from firebreak.core.messages.delivery import Channel


def kinds() -> tuple[str, ...]:
    """Every kind there is, by name; none is imported for it."""
    return modules(__path__)


def found() -> Found:
    """Every kind, imported: those that work, and why others do not."""
    return find(__name__, __path__, "channel", (*Channel.__annotations__, "requests", "taken"))


def channel(kind: str) -> Channel:
    """The channel of this kind, imported when it is first needed; raises ImportError."""
    found: Channel = load(__name__, kind, "channel")
    return found
