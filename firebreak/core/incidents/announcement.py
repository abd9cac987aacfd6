"""What an incident has to tell: one message on one channel, saved with it until it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.incidents.phase import Phase
from firebreak.core.storage_names import Stored


@dataclass(frozen=True, slots=True)
class Announcement(Stored):
    """One message to send on one channel. Its id (incident, number, channel) is stable.

    Attributes:
        number: counts the announcements of one incident from 1.
        channel: name of the channel.
        phase: the phase to announce.
        sent: whether it was sent.
        again_ns: when to try again after a failure, nanoseconds since 1970; 0 means at once.
        tries: how many attempts have failed.
        refused: why the channel does not take it; empty if it does.
        level: 0 for what happened; 1 for a reminder of a question, 2 and more for its escalations, due at `again_ns`.
        about: digest of the question that it reminds of; empty for what happened.
    """

    number: int
    channel: str
    phase: Phase
    sent: bool = False
    again_ns: int = 0
    tries: int = 0
    refused: str = ""
    level: int = 0
    about: str = ""
