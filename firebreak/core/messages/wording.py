"""What a message says of where an incident stands: its title, whether somebody is needed, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from firebreak.core.incidents.asked import refused
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.so_now import IN_PART, in_effect, left_undone
from firebreak.core.messages.message import Urgency

_WORDS: Mapping[Phase, tuple[str, Urgency]] = MappingProxyType(
    {
        "received": ("AT WORK", "know"),
        "waiting": ("YOUR ANSWER IS NEEDED", "act"),
        "containing": ("BEING CONTAINED", "look"),
        "verifying": ("BEING CONTAINED", "look"),
        "contained": ("CONTAINED", "look"),
        "deferred": ("NOT DECIDED YET", "look"),
        "releasing": ("BEING RELEASED", "look"),
        "monitored": ("RECORDED ONLY", "know"),
        "declined": ("RECORDED ONLY", "know"),
        "failed": ("NOT CONTAINED", "act"),
        "expired": ("NOBODY ANSWERED", "act"),
        "rejected": ("REJECTED", "over"),
        "released": ("RELEASED", "over"),
        "closed": ("CLOSED", "over"),
    }
)
_REVIEW = "review: "


def title_word(incident: Incident, level: int) -> str:
    """How it stands, in capitals."""
    if level and incident.phase == "waiting":
        return "STILL NO ANSWER"
    if incident.reopened and incident.stands and incident.phase in ("contained", "waiting"):
        return "OPENED AGAIN BY OTHERS"
    if incident.phase == "releasing" and refused(incident):
        return "RELEASED IN PART"
    if incident.phase == "closed" and incident.closed_as:
        return f"CLOSED AS {incident.closed_as.replace('_', ' ').upper()}"
    return (_word_of_what_stands(incident) if incident.phase == "contained" else "") or _WORDS[incident.phase][0]


def _word_of_what_stands(incident: Incident) -> str:
    """How a containment stands that is no news, or not as it was planned; empty for one that is."""
    if left_undone(incident):
        return IN_PART
    if incident.drift:
        return "CHANGED BY OTHERS"
    return "STILL CONTAINED" if _last(incident).startswith(_REVIEW) else ""


def urgency(incident: Incident) -> Urgency:
    """Whether somebody is needed."""
    needed = incident.phase == "releasing" and refused(incident)
    if incident.phase == "contained":
        needed = bool(incident.reopened or (left_undone(incident) and not incident.closed_as))
    return "act" if needed else _WORDS[incident.phase][1]


def undo_by(incident: Incident) -> str:
    """How what was changed is undone."""
    command = f"firebreak incident release {incident.id}"
    if incident.phase == "contained" and incident.done and not incident.done.writes:
        return f"It wrote nothing itself: {command} lets go of it, and gives back what no other incident holds"
    if incident.phase == "releasing" or in_effect(incident):
        return f"What was before is restored by {command} (by hand: the lines below)"
    if incident.phase in ("waiting", "expired", "containing", "verifying"):
        return f"Nothing to undo yet; once it is contained: {command}"
    return "There is nothing to undo."


def _last(incident: Incident) -> str:
    return incident.history[-1].what if incident.history else ""
