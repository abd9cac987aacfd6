"""What is asked of people about an incident, until when, and what happens if nobody does it: one place for all."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import halted
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.question import MOST_ESCALATIONS
from firebreak.core.incidents.so_now import left_undone
from firebreak.core.mode import Mode
from firebreak.core.timestamps import NANOS, format_instant

_ASKED: Mapping[Phase, str] = MappingProxyType(
    {
        "contained": "Nothing has to be done now. Look at it; if it is wrong, release it.",
        "deferred": "Nothing yet. If it is urgent, have it decided anew.",
        "expired": "Answer late: a yes is carried out if a fresh look shows the very same.",
        "rejected": "Nothing has to be done now. Say what it was found to be, and so close it.",
        "released": "Nothing has to be done now. Say what it was found to be, and so close it.",
    }
)
_UNTIL: Mapping[Phase, str] = MappingProxyType(
    {
        "deferred": "No deadline for you. What has not passed after a day is recorded, and nothing is changed.",
        "failed": "As soon as possible: nothing more happens by itself.",
        "expired": "The deadline is over. Nothing more happens by itself.",
        "releasing": "No deadline. What was refused stays held until somebody asks again.",
    }
)
_HALTED = "No deadline. It waits until the halt is lifted, however long that takes."
_STAYS = "No deadline. It stays contained until a person releases it"
_RELEASES = ", or by itself, as the policy says, once its time is over and SCC calls the finding INACTIVE."
_OPEN = "No deadline. Firebreak closes it no more by itself, and announces it again meanwhile."
_IN_PART = "As soon as possible: what was not done stays open until somebody closes it."
_NOTHING, _NO_DEADLINE = "Nothing.", "No deadline, and nothing more happens by itself."
_AT_WORK = "Firebreak goes on by itself."
_WORKS = frozenset[Phase]({"received", "containing", "verifying", "releasing"})
_FEW = 3


def asked(incident: Incident) -> str:
    """What the reader is asked to do."""
    phase = incident.phase
    if phase == "waiting":
        changes = incident.plan.changes if incident.plan else ()
        actions = list(dict.fromkeys(name for one in changes for name in one.actions))
        return f"Look at what is planned ({', '.join(first_few(actions, _FEW)) or 'no change'}), and answer yes or no."
    if halted(incident):
        return "Lift the halt once that is safe (firebreak resume): nothing is contained before."
    if phase == "failed":
        by_hand = f"Contain it by hand (firebreak incident show {incident.id} ends with the lines)"
        return f"{by_hand}, or remove what was in the way and retry."
    if phase == "releasing" and refused(incident):
        return "A setting could not be restored: remove what was in the way and release again, or leave it."
    return _AT_WORK if phase in _WORKS else _at_rest(incident)


def _at_rest(incident: Incident) -> str:
    """What is asked where nothing is waited for."""
    if incident.phase == "contained" and (said := _of_what_stands(incident)):
        return said
    return _NOTHING if incident.closed_as else _ASKED.get(incident.phase, _NOTHING)


def _of_what_stands(incident: Incident) -> str:
    """What is asked where it is not as it should be; empty where it is."""
    if incident.reopened:
        return "Look at what others have opened, and close it by hand where it should be closed."
    if incident.closed_as:
        return "Nothing: a person has filed it."
    if left_undone(incident):
        return "Close by hand what was not done, or remove what was in the way and retry."
    return "Look at what others changed since; if the containment is wrong, release it." if incident.drift else ""


def until(incident: Incident, *, contains: bool | None = None, releases: bool | None = None) -> str:
    """Until when, and what happens if nobody does it.

    `contains`: its policy contains what nobody answers. `releases`: it has a time after which it may release by itself.
    None where the policy is not known here.
    """
    question = incident.question
    if incident.phase == "contained":
        return _stays(incident, releases=releases)
    if halted(incident):
        return _HALTED
    if incident.phase == "waiting" and question is not None:
        return f"{clock(question.expires_ns)}. {_unanswered(incident, question.escalated, contains=contains)}"
    return _UNTIL.get(incident.phase, _AT_WORK if incident.phase in _WORKS else _NO_DEADLINE)


def _stays(incident: Incident, *, releases: bool | None) -> str:
    if incident.reopened:
        return _OPEN
    if incident.closed_as:
        return f"{_STAYS}{_RELEASES if releases else '.'}"
    if left_undone(incident):
        return _IN_PART
    return f"{_STAYS}{_RELEASES if releases else ', and is announced again meanwhile.'}"


def _unanswered(incident: Incident, escalated: int, *, contains: bool | None) -> str:
    own = _is_the_policys_own(incident)
    if own and contains:
        return "If nobody answers, it is contained then, as the policy says, provided that all is still as shown."
    unless = " If the policy says on_expiry: contain, it is contained then instead." if own and contains is None else ""
    left = MOST_ESCALATIONS - escalated
    if left > 0:
        times = "once more" if left == 1 else f"up to {left} times more"
        return f"If nobody answers, nothing is changed, and you are asked again, {times}.{unless}"
    return f"This was the last time: if nobody answers, it ends as expired, and nothing is changed.{unless}"


def _is_the_policys_own(incident: Incident) -> bool:
    """Whether only the policy's mode asks, about what was shown all along: nothing else may end in a containment."""
    question, decision = incident.question, incident.decision
    if question is None or decision is None or incident.stands or decision.wanted is not Mode.APPROVE:
        return False
    return not (decision.caps or question.cautions or question.asked_before)


def refused(incident: Incident) -> bool:
    """Whether a setting could not be given back."""
    return incident.release is not None and any(one.result == "refused" for one in incident.release.keys)


def clock(nanos: int) -> str:
    """A time to the minute, for people."""
    return f"{format_instant(nanos // (60 * NANOS) * 60 * NANOS)[:16].replace('T', ' ')} UTC"
