"""What became of each setting, one line each: a word, a sign, and an arrow only where it went that way or is to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from firebreak.core.containment.plan import SUCCESS, Change
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.release import Release, ReleasedKey
from firebreak.core.incidents.release_words import released, setting_word, told
from firebreak.core.secrets.redaction import Named, all_named

Became = Literal[
    "planned", "being made", "done", "changed since", "undone", "not done", "left alone", "gone", "still held"
]

SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "planned": "?",
        "being made": "…",
        "done": "✓",
        "changed since": "≠",
        "undone": "↩",
        "not done": "✗",
        "left alone": "=",
        "gone": "∅",
        "still held": "!",
    }
)
"""So that each can be told from the others without colour, at a glance."""
_AMISS: frozenset[Became] = frozenset({"still held", "changed since", "not done"})
OVER: frozenset[Phase] = frozenset({"released", "closed"})
"""What was made does not stand then: what stands keeps an incident from being closed."""
_NOT_MADE: frozenset[Phase] = frozenset({"rejected", "expired", "declined", "monitored", "failed", *OVER})
RELEASED: Mapping[str, Became] = MappingProxyType(
    {
        "due": "being made",
        "restored": "undone",
        "a person's": "left alone",
        "gone": "gone",
        "given up": "left alone",
        "refused": "still held",
    }
)
"""What a release made of a setting, as the record has it, to what became of the setting."""


@dataclass(frozen=True, slots=True)
class SettingState:
    """One setting of one target: what became of it, and a line that says how it went, or how it is."""

    target: str
    key: str
    became: Became
    says: str

    @property
    def line(self) -> str:
        """With sign and word; a line of names stays one."""
        line = f"{SIGNS[self.became]} {self.became}: {self.says}"
        return Named(line) if isinstance(self.says, Named) else line


def setting_states(incident: Incident) -> tuple[SettingState, ...]:
    """Every setting of the release that was made last, else of the plan, as it was left, or is to be.

    Where something stands beside which a later look found nothing to write, the settings are those of what stands.
    What is not as it should be comes first, and of the rest single tags last: a reader may see the first few alone.
    """
    release = _told_release(incident)
    plan = incident.done if _stands_alone(incident) else incident.plan
    changes = plan.changes if plan else ()
    states = (
        [_planned(incident, change, key) for change in changes for key in sorted(change.after)]
        if release is None
        else [_released(incident, one) for one in release.keys]
    )
    return tuple(sorted(states, key=lambda one: (one.became not in _AMISS, ".tag." in one.key)))


def became(incident: Incident, change: Change) -> Became:
    """What became of a change of the incident's plan."""
    if _stands_alone(incident) and change.after:
        return "done"
    known = {("", ""), ("", change.target.key)}  # as versions before kept them, which had one plan
    known.add((incident.plan.digest if incident.plan else "", change.target.key))
    tried = [one for one in incident.outcomes if one.surface == change.surface and (one.plan, one.target) in known]
    if any(one.status == SUCCESS for one in tried):
        return "undone" if incident.phase in OVER else "done"
    if tried or incident.phase in _NOT_MADE:
        return "not done"
    return "being made" if incident.phase in ("containing", "verifying") else "planned"


def _stands_alone(incident: Incident) -> bool:
    """Whether what was done is all there is to tell: a later look had nothing to write beside it."""
    return incident.stands and not (incident.plan and incident.plan.writes)


def _told_release(incident: Incident) -> Release | None:
    """The release, where it says how things are; None where none was made, or something else is told."""
    release = incident.release
    if release is None or release.digest or not release.keys:
        return None
    told_now = incident.phase in ("releasing", "contained", *OVER)
    beside = incident.phase in ("received", "deferred") and (release.rests or not incident.plan)
    return release if told_now or beside else None


def _released(incident: Incident, key: ReleasedKey) -> SettingState:
    shown = released(key)
    says = all_named(f"{incident.place_of(key.target)}{told(shown)}", key.key, key.before, key.after)
    return SettingState(key.target.resource, key.key, RELEASED[shown["result"]], says)


def _planned(incident: Incident, change: Change, key: str) -> SettingState:
    state, before, after = became(incident, change), change.before.get(key), change.after.get(key)
    ends = setting_word(before), setting_word(after)
    drift = incident.drift.get(change.target.key)
    if state == "done" and drift and key in drift.settings:
        state = "changed since"
    went = {
        "changed since": f"{ends[1]} → {setting_word(drift.settings.get(key)) if drift else ''}, by others",
        "undone": f"{ends[1]} → {ends[0]}",
        "not done": f"was {ends[0]}; {ends[1]} was planned",
    }
    says = f"{incident.place_of(change.target)}{key}: {went.get(state, ' → '.join(ends))}"
    return SettingState(change.target.resource, key, state, all_named(says, key, before, after))
