"""What is so now, in one sentence, and what became of each change: the same words on record, screen and chat."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from firebreak.core.containment.plan import SUCCESS, Change
from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase

Became = Literal["planned", "being made", "done", "undone", "not done"]

_UNTOUCHED: Mapping[Phase, str] = MappingProxyType(
    {
        "received": "Nothing has been changed yet: Firebreak is at work on it, or will be with the next delivery.",
        "waiting": "Nothing has been changed. A person is asked for a yes or a no.",
        "containing": "A write is about to be made, or was just made.",
        "verifying": "The write was made; what serves is being read back.",
        "contained": "Contained: the plan is in force, read back from what serves.",
        "deferred": "Nothing has been changed. It waits for something that may pass, and is decided anew then.",
        "releasing": "The release is under way: settings are given back one by one.",
        "monitored": "Nothing was changed. The plan shows what would have been.",
        "declined": "Recorded, and nothing was changed.",
        "failed": "NOT CONTAINED. A person is needed now.",
        "expired": "Nobody answered in time. Nothing was changed.",
        "rejected": "A person said no. Nothing was changed.",
        "released": "Taken back: the containment no longer stands.",
        "closed": "Closed by a person; nothing of it stands.",
    }
)
_FURTHER: Mapping[Phase, str] = MappingProxyType(
    {
        "received": "something new came, and is being decided.",
        "waiting": "nothing more was changed. A person is asked for a yes or a no.",
        "deferred": "something new waits for what may pass, and is decided anew then.",
    }
)
"""What is so beside what was contained before."""
_FAILED_IN_PART = "NOT CONTAINED AS PLANNED. What could be done stands; a person is needed now for the rest."
_OVER: frozenset[Phase] = frozenset({"released", "closed"})
"""Nothing stands then: what stands keeps an incident from being closed."""
_NOT_MADE: frozenset[Phase] = frozenset({"rejected", "expired", "declined", "monitored", "failed", *_OVER})
_FEW = 3


def so_now(incident: Incident) -> str:
    """One sentence, from what is in effect."""
    phase = incident.phase
    if incident.stands and incident.reopened and phase != "releasing":
        opened = ", ".join(first_few(incident.reopened, _FEW))
        return f"WAS CONTAINED, and others have opened it since: {opened} can be reached."
    in_part = _partly_released(incident)
    if phase == "releasing" and in_part:
        return f"{in_part}."
    if phase in _FURTHER and (before := in_part or _before(incident)):
        return f"{before}; {_FURTHER[phase]}"
    return _FAILED_IN_PART if phase == "failed" and in_effect(incident) else _UNTOUCHED[phase]


def _before(incident: Incident) -> str:
    """What became of what was contained earlier; empty where nothing was."""
    if in_effect(incident):
        return "Contained before"
    return "What was contained before was taken back" if incident.release and incident.release.over else ""


def in_effect(incident: Incident) -> bool:
    """Whether anything of it was seen in effect and not given back."""
    released = incident.release is not None and incident.release.over
    made = not released and any(one.status == SUCCESS for one in incident.outcomes)
    return incident.phase not in _OVER and (incident.stands or made)


def became(incident: Incident, change: Change) -> Became:
    """What became of a change of the incident's plan."""
    known = {("", ""), ("", change.target.key)}  # as versions before kept them, which had one plan
    known.add((incident.plan.digest if incident.plan else "", change.target.key))
    tried = [one for one in incident.outcomes if one.surface == change.surface and (one.plan, one.target) in known]
    if any(one.status == SUCCESS for one in tried):
        return "undone" if incident.phase in _OVER else "done"
    if tried or incident.phase in _NOT_MADE:
        return "not done"
    return "being made" if incident.phase in ("containing", "verifying") else "planned"


def _partly_released(incident: Incident) -> str:
    keys = incident.release.keys if incident.release else ()
    back = [one.key for one in keys if one.result == "restored"]
    held = [one.key for one in keys if one.result == "refused"]
    if not held:
        return ""
    given = f"{', '.join(first_few(back, _FEW))} given back" if back else "nothing given back"
    return f"PARTLY TAKEN BACK: {given}; {', '.join(first_few(held, _FEW))} could not be, and is still held"
