"""Checks of a deployment, one module each in `checks`: the module's name is the check's."""

from __future__ import annotations

from firebreak.core.discovery import Found, find
from firebreak.doctor import checks


def discover() -> Found:
    """Every check, and why some are not among them."""
    return find(checks.__name__, checks.__path__, "check", ("about", "role", "items"))
