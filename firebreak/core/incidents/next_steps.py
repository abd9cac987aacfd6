"""What a person can type next about an incident, by how it stands: the same words on record, screen and chat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.setting_states import became
from firebreak.core.secrets.redaction import command_line, named

_ANEW: frozenset[Phase] = frozenset({"rejected", "monitored", "declined", "expired", "failed", "deferred"})
"""Phases in which nothing more comes by itself, or not soon: a person can have the incident decided anew."""
_TO_FILE: frozenset[Phase] = frozenset({"rejected", "monitored", "declined", "expired", "released"})
"""Phases in which all that is left is to say what it was found to be."""
_STANDING: frozenset[Phase] = frozenset({"contained", "containing", "verifying", "releasing"})
_SHORT = 12


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command, in one word what it is for, and what comes of it where that word does not tell."""

    word: str
    command: str
    effect: str = ""


def next_steps(incident: Incident) -> tuple[NextStep, ...]:
    """The commands that help now; there is always one."""
    steps = (*_answers(incident), *_way_back(incident), *_filing(incident))
    last = "firebreak incident list" if incident.phase == "closed" else _typed("show", incident)
    return steps or (NextStep("list" if incident.phase == "closed" else "look", last),)


def halted(incident: Incident) -> bool:
    """Whether it waits for the end of a halt, under which nothing is written."""
    return incident.phase == "deferred" and incident.waits is not None and incident.waits.what == "halt"


def stands(incident: Incident) -> bool:
    """Whether a containment of this incident stands, also while something further is asked about it."""
    return incident.phase in _STANDING or incident.stands


def _answers(incident: Incident) -> Iterator[NextStep]:
    phase, digest = incident.phase, incident.question.digest[:_SHORT] if incident.question else ""
    if phase in ("waiting", "expired") and digest:
        yield NextStep("yes", _typed("approve", incident, "--digest", digest))
    if phase == "waiting" and digest:
        yield NextStep("no", _typed("reject", incident, "--digest", digest, "--reason", "WHY"))
    changes = incident.plan.changes if incident.plan else ()
    lacks = bool(incident.reopened) or any(became(incident, one) == "not done" for one in changes)
    if halted(incident):
        yield NextStep("lift", "firebreak resume", "lifts the halt; the next sweep decides what waited for it")
    if phase in _ANEW or (phase == "contained" and lacks):
        effect = "decides it anew on a fresh look, and contains, asks or leaves it as the policies say today"
        yield NextStep("anew", _typed("retry", incident), effect)


def _way_back(incident: Incident) -> Iterator[NextStep]:
    if not stands(incident):
        return
    release = incident.release
    refused = [one.key for one in release.keys if one.result == "refused"] if release else []
    agreed = ("--digest", release.digest[:_SHORT]) if release and release.digest else ()
    yield NextStep("again" if refused else "undo", _typed("release", incident, *agreed))
    for key in refused[:1]:
        yield NextStep("leave", _typed("release", incident, "--leave", named(key)))


def _filing(incident: Incident) -> Iterator[NextStep]:
    if incident.phase == "contained" and not incident.closed_as:
        effect = "files it as a true positive; the containment stays until it is released"
        yield NextStep("keep", _typed("close", incident, "--keep"), effect)
    if incident.phase in _TO_FILE and not incident.closed_as:
        effect = "closes it; WHAT is true_positive, false_positive or benign"
        yield NextStep("file", _typed("close", incident, "--as", "WHAT"), effect)


def _typed(verb: str, incident: Incident, *words: str) -> str:
    return command_line("firebreak", "incident", verb, incident.id, *words)
