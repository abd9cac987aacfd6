"""What a message says of where an incident stands: its title, what is asked, until when, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import halted
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.question import MOST_ESCALATIONS
from firebreak.core.incidents.so_now import in_effect
from firebreak.core.messages.message import Urgency
from firebreak.core.timestamps import NANOS, format_instant

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
_ASKED: Mapping[Phase, str] = MappingProxyType(
    {
        "waiting": "Look at what is planned, and answer yes or no.",
        "contained": "Nothing has to be done now. Look at it; if it is wrong, release it.",
        "deferred": "Nothing yet. If it is urgent, have it decided anew.",
        "failed": "Contain it by hand, or remove what was in the way and retry.",
        "expired": "Answer late: a yes is carried out if a fresh look shows the very same.",
    }
)
_UNTIL: Mapping[Phase, str] = MappingProxyType(
    {
        "contained": "No deadline. It stays contained until a person releases it, and is announced again meanwhile.",
        "deferred": "No deadline for you. What has not passed after a day is recorded, and nothing is changed.",
        "failed": "As soon as possible: nothing more happens by itself.",
        "expired": "The deadline is over. Nothing more happens by itself.",
        "releasing": "No deadline. What was refused stays held until somebody asks again.",
    }
)
_HALTED = "No deadline. It waits until the halt is lifted, however long that takes."
_RELEASES = (
    "No deadline. It stays contained until a person releases it, or by itself, as the policy says, once its time is"
    " over and SCC calls the finding INACTIVE."
)
_OPEN = "No deadline. Firebreak closes it no more by itself, and announces it again meanwhile."
_NOTHING, _NO_DEADLINE = "Nothing.", "No deadline, and nothing more happens by itself."
_AT_WORK = "Firebreak goes on by itself."
_REVIEW = "review: "


def title_word(incident: Incident, level: int) -> str:
    """How it stands, in capitals."""
    if level and incident.phase == "waiting":
        return "STILL NO ANSWER"
    if incident.reopened and incident.stands and incident.phase in ("contained", "waiting"):
        return "OPENED AGAIN BY OTHERS"
    if incident.phase == "contained" and _last(incident).startswith(_REVIEW):
        return "STILL CONTAINED"
    if incident.phase == "releasing" and _refused(incident):
        return "RELEASED IN PART"
    return _WORDS[incident.phase][0]


def urgency(incident: Incident) -> Urgency:
    """Whether somebody is needed."""
    reopened = incident.reopened and incident.stands and incident.phase == "contained"
    needed = reopened or (incident.phase == "releasing" and _refused(incident))
    return "act" if needed else _WORDS[incident.phase][1]


def asked(incident: Incident) -> str:
    """What the reader is asked to do."""
    if incident.phase == "contained" and incident.reopened:
        return "Look at what others have opened, and close it by hand where it should be closed."
    if halted(incident):
        return "Lift the halt once that is safe (firebreak resume): nothing is contained before."
    if incident.phase == "releasing" and _refused(incident):
        return "A setting could not be restored: remove what was in the way and release again, or leave it."
    return _ASKED.get(incident.phase, _AT_WORK if incident.phase in _WORKS else _NOTHING)


def until(incident: Incident, *, contains: bool, releases: bool) -> str:
    """Until when, and what happens if nobody does it.

    `contains`: the policy contains what nobody answers. `releases`: it has a time after which it may release by itself.
    """
    question = incident.question
    if incident.phase == "contained" and (incident.reopened or releases):
        return _OPEN if incident.reopened else _RELEASES
    if halted(incident):
        return _HALTED
    if incident.phase == "waiting" and question is not None:
        return f"{clock(question.expires_ns)}. {_unanswered(question.escalated, contains=contains)}"
    return _UNTIL.get(incident.phase, _AT_WORK if incident.phase in _WORKS else _NO_DEADLINE)


def _unanswered(escalated: int, *, contains: bool) -> str:
    if contains:
        return "If nobody answers, it is contained then, as the policy says, provided that all is still as shown."
    left = MOST_ESCALATIONS - escalated
    if left > 0:
        times = "once more" if left == 1 else f"up to {left} times more"
        return f"If nobody answers, nothing is changed, and you are asked again, {times}."
    return "This was the last time: if nobody answers, it ends as expired, and nothing is changed."


def undo_by(incident: Incident) -> str:
    """How what was changed is undone."""
    command = f"firebreak incident release {incident.id}"
    if incident.phase == "releasing" or in_effect(incident):
        return f"What was before is restored by {command} (by hand: the lines below)"
    if incident.phase in ("waiting", "expired", "containing", "verifying"):
        return f"Nothing to undo yet; once it is contained: {command}"
    return "There is nothing to undo."


def clock(nanos: int) -> str:
    """A time to the minute, for people."""
    return f"{format_instant(nanos // (60 * NANOS) * 60 * NANOS)[:16].replace('T', ' ')} UTC"


_WORKS = frozenset[Phase]({"received", "containing", "verifying", "releasing"})


def _refused(incident: Incident) -> bool:
    return incident.release is not None and any(one.result == "refused" for one in incident.release.keys)


def _last(incident: Incident) -> str:
    return incident.history[-1].what if incident.history else ""
