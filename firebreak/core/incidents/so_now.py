"""What is so now, in one sentence, from what is in effect: the same words on record, screen and chat."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from firebreak.core.containment.plan import SUCCESS
from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.release_words import setting_word
from firebreak.core.incidents.setting_states import OVER, became
from firebreak.core.secrets.redaction import all_named

_UNTOUCHED: Mapping[Phase, str] = MappingProxyType(
    {
        "received": "Nothing has been changed yet: Firebreak is at work on it, or will be with the next delivery.",
        "waiting": "Nothing has been changed. A person is asked for a yes or a no.",
        "containing": "A write is about to be made, or was just made.",
        "verifying": "The write was made; what serves is being read back.",
        "deferred": "Nothing has been changed. It waits for something that may pass, and is decided anew then.",
        "releasing": "The release is under way: settings are given back one by one.",
        "monitored": "Nothing was changed. The plan shows what would have been.",
        "declined": "Recorded, and nothing was changed.",
        "failed": "NOT CONTAINED. A person is needed now.",
        "expired": "Nobody answered in time. Nothing was changed.",
        "rejected": "A person said no. Nothing was changed.",
        "closed": "Closed by a person{filed}; nothing was changed.",
    }
)
_FURTHER: Mapping[Phase, str] = MappingProxyType(
    {
        "received": "something new came, and is being decided.",
        "waiting": "nothing more was changed. A person is asked for a yes or a no.",
        "containing": "a write is about to be made besides, or was just made.",
        "verifying": "a write was made besides; what serves is being read back.",
        "deferred": "something new waits for what may pass, and is decided anew then.",
        "monitored": "nothing was changed after that.",
        "declined": "nothing was changed after that.",
        "expired": "nobody answered the question after that, and nothing more was changed.",
        "rejected": "a person said no to more, and nothing more was changed.",
        "closed": "a person has closed it{filed}.",
    }
)
"""What is so beside what was contained before."""
IN_PART = "CONTAINED IN PART"
_FEW = 3


def so_now(incident: Incident) -> str:
    """One sentence, from what is in effect."""
    said = _changed_since(incident) or _stands(incident)
    filed = incident.closed_as.replace("_", " ") if incident.closed_as and incident.stands else ""
    sentence = f"{said} Filed as {filed}; its containment stays." if filed else said
    keys = incident.release.keys if incident.release else ()
    return all_named(sentence, *incident.reopened, *(part for one in keys for part in (one.key, one.before, one.after)))


def _changed_since(incident: Incident) -> str:
    """What others did to what stands; empty where that is as it was left, or is being taken back."""
    if not incident.stands or incident.phase == "releasing" or not (incident.drift or incident.reopened):
        return ""
    asked = " A person is asked for a yes or a no." if incident.phase == "waiting" else ""
    places = {target.key: incident.place_of(target) for target in incident.targets}
    says = [f"{places.get(key, '')}{one.says}" for key, one in incident.drift.items()]
    if incident.reopened:
        by = next((f" by {who}" for one in incident.drift.values() if one.opened and (who := _who(one.says))), "")
        since = f"opened again since{by}" if by else "others have opened it since"
        return f"WAS CONTAINED, and {since}: {_opened(incident, places)}.{asked}"
    return f"Contained, but {'; '.join(first_few(says, _FEW))}.{asked}"


def _opened(incident: Incident, places: Mapping[str, str]) -> str:
    """The suspects that can be reached again, and the doors that are open."""
    drifts = incident.drift.items()
    doors = [f"{places.get(key, '')}{name}" for key, one in drifts for name in one.opened if name in one.settings]
    seen = [f"{places.get(key, '')}{name}" for key, one in drifts for name in one.opened if name not in one.settings]
    told = ((seen or (() if doors else incident.reopened), "can be reached"), (doors, "is open"))
    return "; ".join(f"{', '.join(first_few(names, _FEW))} {word}" for names, word in told if names)


def _who(says: str) -> str:
    """Who changed it, where the sentence of a drift tells."""
    return says.partition(":")[0].removeprefix("changed by ") if says.startswith("changed by ") else ""


def _stands(incident: Incident) -> str:
    phase = incident.phase
    in_part = _partly_released(incident)
    if phase == "releasing" and in_part:
        return f"{in_part}."
    if phase == "contained":
        return _contained(incident)
    if phase == "released":
        return _released(incident)
    if phase == "failed" and in_effect(incident):
        return "NOT CONTAINED AS PLANNED. What could be done stands; a person is needed now for the rest."
    filed = f" as {incident.closed_as.replace('_', ' ')}" if incident.closed_as else ""
    if phase in _FURTHER and (before := in_part or _before(incident)):
        return f"{before}; {_FURTHER[phase].format(filed=filed)}"
    return _UNTOUCHED[phase].format(filed=filed)


def _contained(incident: Incident) -> str:
    plan = incident.plan
    if left := left_undone(incident):
        return f"{IN_PART}: {', '.join(left)} was not done; the rest is in force."
    if plan and not plan.writes and not (incident.done and incident.done.writes):
        by = f" by {', '.join(others)}" if (others := joined(incident)) else ""
        already = f"what had to be closed was closed already{by}, read back from what serves"
        return f"Contained: {already}; nothing was written."
    places = [target.place for target in plan.targets] if plan else []
    where = f" in {', '.join(first_few(places, _FEW))}" if len(places) > 1 else ""
    return f"Contained{where}: the plan is in force, read back from what serves."


def joined(incident: Incident) -> tuple[str, ...]:
    """Some incidents whose containment it joined, and how many more there are."""
    return tuple(dict.fromkeys(name for one in incident.outcomes for name in one.joined))


def left_undone(incident: Incident) -> tuple[str, ...]:
    """The actions of which something was tried or ended and is not in effect, or that could not even be drawn."""
    if (plan := incident.plan) is None:
        return ()
    left = (action for one in plan.changes if became(incident, one) == "not done" for action in one.actions)
    return tuple(dict.fromkeys((*left, *(one.action for one in plan.undone))))


def _released(incident: Incident) -> str:
    keys = incident.release.keys if incident.release else ()
    left = [one.key for one in keys if one.result in ("person", "gone", "left")]
    rest = f" Left as it is: {', '.join(first_few(left, _FEW))}." if left else ""
    if incident.release and (others := first_few(incident.release.beside, _FEW)):
        return f"Taken back: this incident holds nothing any more. What {', '.join(others)} closed stayed shut.{rest}"
    return f"Taken back: the containment no longer stands.{rest}"


def _before(incident: Incident) -> str:
    """What became of what was contained earlier; empty where nothing was."""
    if in_effect(incident):
        return "Contained before"
    return "What was contained before was taken back" if incident.release and incident.release.over else ""


def in_effect(incident: Incident) -> bool:
    """Whether anything of it was seen in effect and not given back."""
    released = incident.release is not None and incident.release.over
    made = not released and any(one.status == SUCCESS for one in incident.outcomes)
    return incident.phase not in OVER and (incident.stands or made)


def _partly_released(incident: Incident) -> str:
    """Which settings are back, which are held, and what each of them is; empty where no setting was refused."""
    keys = incident.release.keys if incident.release else ()
    held = [f"{one.key} is still {setting_word(one.before)}" for one in keys if one.result == "refused"]
    if not held:
        return ""
    back = [f"{one.key} is {setting_word(one.after)} again" for one in keys if one.result == "restored"]
    given = ", ".join(first_few(back, _FEW)) or "nothing was given back"
    return f"PARTLY TAKEN BACK: {given}; {', '.join(first_few(held, _FEW))}"
