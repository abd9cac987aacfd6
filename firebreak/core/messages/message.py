"""A message about one incident: everything that somebody who sees nothing else needs, before any place's markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from firebreak.core.incidents.next_steps import NextStep
from firebreak.core.incidents.phase import Phase

Urgency = Literal["act", "look", "know", "over"]
"""`act`: a person is needed now. `look`: something was changed. `know`: it is recorded. `over`: it has ended."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fact, with the word that it goes by: `where`, `image`."""

    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A page for people; its address is made of names that were checked, never taken from outside."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is so with an incident now. Every text is redacted, free of what cannot be seen, and bounded.

    Attributes:
        id: of the announcement that it is: incident, number, channel.
        incident: the incident's id.
        phase: where the incident is.
        urgency: whether somebody is needed.
        question: digest of the question that is open; empty where none is.
        level: 0 for what happened, 1 for a reminder of a question, 2 and more for its escalations.
        title: what happened where, in one line.
        now: what is so now, in one sentence.
        asked: what the reader is asked to do.
        until: until when, and what happens if nobody does it.
        facts: what, where, whose, by what evidence; the most important first.
        why: the policy and its mode, and what lowered the mode.
        changes: what became of each setting, or is planned for it.
        still_open: what the containment does not close.
        steps: commands, the one that is asked for first.
        undo_by: how what was changed is undone, in one sentence.
        undo: lines for gcloud that undo it by hand, each whole.
        answered: which person spoke last, and what; empty before that.
        last: what Firebreak did last, where that came after all that persons said.
        links: pages for people.
    """

    id: str
    incident: str
    phase: Phase
    urgency: Urgency
    question: str
    level: int
    title: str
    now: str
    asked: str
    until: str
    facts: tuple[Row, ...]
    why: str
    changes: tuple[str, ...]
    still_open: tuple[str, ...]
    steps: tuple[NextStep, ...]
    undo_by: str
    undo: tuple[str, ...]
    answered: str
    last: str
    links: tuple[Link, ...]
