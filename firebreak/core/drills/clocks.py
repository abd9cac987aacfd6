"""The clocks of a drill, read from the incident's record."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.incidents.incident import Incident
from firebreak.core.timestamps import NANOS

WROTE = "wrote "
"""How the record begins a line about a write."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """When each thing happened, nanoseconds since 1970; None for what did not.

    Attributes:
        event_ns: the event, by the clock of whoever wrote the finding.
        message_ns: the function first saw it; this and all that follow are by its own clock.
        asked_ns: a person was asked.
        answered_ns: the answer.
        wrote_ns: the first write was accepted.
        effect_ns: all that was written was seen in effect.
    """

    event_ns: int
    message_ns: int
    asked_ns: int | None
    answered_ns: int | None
    wrote_ns: int | None
    effect_ns: int | None

    def seconds(self) -> dict[str, float | None]:
        """The three clocks, and between message and write how long the question and the answer took."""
        asked = self.answered_ns is not None
        return {
            "event to message": _between(self.event_ns, self.message_ns),
            "message to write": _between(self.message_ns, self.wrote_ns),
            **({"of which message to question": _between(self.message_ns, self.asked_ns)} if asked else {}),
            **({"of which question to answer": _between(self.asked_ns, self.answered_ns)} if asked else {}),
            "write to effect": _between(self.wrote_ns, self.effect_ns),
        }


def clocks_of(incident: Incident) -> Clocks:
    """What the record says of each."""
    wrote = next((one.at_ns for one in incident.history if one.what.startswith(WROTE)), None)
    effect = next((one.at_ns for one in incident.history if one.what.startswith("contained by ")), None)
    return Clocks(
        incident.finding.event_ns,
        incident.created_ns,
        incident.question.asked_ns if incident.question else None,
        incident.answer.at_ns if incident.answer else None,
        wrote,
        effect,
    )


def _between(first: int | None, then: int | None) -> float | None:
    return None if first is None or then is None else round((then - first) / NANOS, 3)
