"""Containment actions, one module each: the module's name is the action's name in policies."""

from __future__ import annotations

from collections.abc import Mapping

from firebreak.core.actions.action import Responder
from firebreak.core.discovery import Found, find


def discover() -> Mapping[str, Responder]:
    """Every action in this package that loads, by name."""
    return _found().working


def broken() -> Mapping[str, str]:
    """Every module in this package that does not load as an action, by name, and why."""
    return _found().broken


def _found() -> Found:
    return find(__name__, __path__, "action", (*Responder.__annotations__, "example", "edit"))
