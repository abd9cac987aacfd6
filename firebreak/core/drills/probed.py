"""What a drill found out of what Google's documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probed:
    """One question, put to Google on the canary.

    Attributes:
        sent: what was sent, in order.
        came_back: what came back, in order, in Google's own words where it refused.
        answer: what that says; `not known` where it does not.
    """

    question: str
    sent: tuple[str, ...]
    came_back: tuple[str, ...]
    answer: str
