"""What an incident asks a person, and what the person answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from firebreak.core.containment.plan import Plan
from firebreak.core.storage_names import Stored

MOST_ESCALATIONS = 3
"""How often a question that nobody answered is put again."""


@dataclass(frozen=True, slots=True)
class Question(Stored):
    """What was put to a person: the open question, or the last one.

    Attributes:
        digest: over the plan's digest, the cautions, the suspects and the events; an answer has to name it.
        asked_ns: nanoseconds since 1970.
        expires_ns: nanoseconds since 1970.
        cautions: the guards' reasons that an approval answers, by `Cap.key`.
        asked_before: digests of earlier questions of this incident.
        escalated: how often the question expired and was put again.
        events: ids of the events that it is about.
        shown: over the same but for the cautions, of which an answer may meet fewer than it was asked about.
        settings: what it would do with each setting, in words, for telling how a later question differs.
        suspects: key of each target to the suspects that it was asked about; None in records of older versions.
    """

    digest: str
    asked_ns: int
    expires_ns: int
    cautions: tuple[str, ...]
    asked_before: tuple[str, ...] = ()
    escalated: int = 0
    events: tuple[str, ...] = ()
    shown: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    suspects: Mapping[str, tuple[str, ...]] | None = None

    def is_about(self, plan: Plan | None) -> bool:
        """Whether the digest is of this plan; of what earlier versions asked that cannot be told."""
        shown = shown_digest(plan, self.suspects or {}, self.events) if plan else ""
        return self.digest == question_digest(shown, self.cautions)


def shown_digest(plan: Plan, suspects: Mapping[str, tuple[str, ...]], events: tuple[str, ...]) -> str:
    """SHA-256 over all that a question shows but for its cautions."""
    return _sha256([plan.digest, {key: sorted(names) for key, names in suspects.items()}, sorted(events)])


def question_digest(shown: str, cautions: tuple[str, ...]) -> str:
    """SHA-256 over all that a question shows."""
    return _sha256([shown, sorted(cautions)])


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer(Stored):
    """An approval of a question: its digest, the cautions that it named and so answers, and what it showed.

    `by` is empty where nobody answered and the policy says to contain then.
    """

    digest: str
    by: str
    at_ns: int
    cautions: tuple[str, ...] = ()
    shown: str = ""
