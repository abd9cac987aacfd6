"""The words of an incident's life: its phases, and what it can be closed as."""

from __future__ import annotations

from typing import Literal

Phase = Literal[
    "received",
    "waiting",
    "containing",
    "verifying",
    "contained",
    "deferred",
    "releasing",
    "monitored",
    "declined",
    "failed",
    "expired",
    "rejected",
    "released",
    "closed",
]
ENDED: frozenset[Phase] = frozenset({"monitored", "declined", "expired", "rejected", "released", "closed"})
"""Phases in which an incident is no longer open."""
WORKING: frozenset[Phase] = frozenset({"received", "containing", "verifying"})
"""Phases in which somebody is, or should be, at work."""

CLOSED_AS = ("true_positive", "false_positive", "benign")
"""What an incident can be found to be when it is closed."""
