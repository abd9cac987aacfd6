"""What a person can type next about an incident, by where it stands: the same words on the screen and in chat."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from firebreak.core.incidents.phase import Phase

_ANEW: frozenset[Phase] = frozenset({"rejected", "monitored", "declined", "expired", "failed", "deferred"})
"""Phases in which nothing more comes by itself, or not soon: a person can have the incident decided anew."""
_SHORT = 12


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command, and in one word what it is for."""

    word: str
    command: str


def next_steps(
    identity: str, phase: str, *, question: str = "", stands: bool = False, refused: Sequence[str] = (), shown: str = ""
) -> tuple[NextStep, ...]:
    """The commands that help now.

    `question`: digest of the question, open or last. `stands`: whether something is contained. `refused`: settings that
    a release could not restore. `shown`: digest of a release that waits for a yes to what it would write besides.
    """
    steps = list[NextStep]()
    if phase in ("waiting", "expired") and question:
        steps.append(NextStep("yes", f"firebreak incident approve {identity} --digest {question[:_SHORT]}"))
    if phase == "waiting" and question:
        steps.append(NextStep("no", f"firebreak incident reject {identity} --digest {question[:_SHORT]} --reason WHY"))
    if phase in _ANEW:
        steps.append(NextStep("anew", f"firebreak incident retry {identity}"))
    if stands:
        agreed = f" --digest {shown[:_SHORT]}" if shown else ""
        steps.append(NextStep("again" if refused else "undo", f"firebreak incident release {identity}{agreed}"))
    if stands and refused:
        steps.append(NextStep("leave", f"firebreak incident release {identity} --leave {shlex.quote(refused[0])}"))
    return tuple(steps)
