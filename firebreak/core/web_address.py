"""Addresses that secrets travel to: https and a host, and plain text on this machine alone."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

# No more than may stand in a URL: a placeholder's brackets, a quote or a blank is none of it.
URL = re.compile(
    r"(?P<scheme>https?)://(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:[/?][!#-;=?-Z_a-z~]*)?"
)


def is_loopback(url: str) -> bool:
    """Whether it names this machine, a port, and no user."""
    try:
        split = urlsplit(url)
        if split.hostname is None or split.port is None or split.username is not None:
            return False
        return split.hostname == "localhost" or ip_address(split.hostname).is_loopback
    except ValueError:
        return False


def is_safe(url: str) -> bool:
    """Whether it is https with a host, or http on loopback."""
    found = URL.fullmatch(url)
    try:
        split = urlsplit(url)
        split.port  # noqa: B018 - raises where it is none
        return found is not None and (found["scheme"] == "https" or is_loopback(url))
    except ValueError:
        return False
