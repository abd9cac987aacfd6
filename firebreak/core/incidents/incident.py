"""The incident: one event's whole story, as saved, announced and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firebreak.core.actions.words import Rule
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Change, Outcome, Plan
from firebreak.core.facts import Evidence, FactValue
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.verdict import Verdict
from firebreak.core.incidents.phase import ENDED, WORKING, Phase
from firebreak.core.mode import Cap, Mode
from firebreak.core.storage_names import Stored

LONGEST_HISTORY = 200
_BEGINNING = 20


@dataclass(frozen=True, slots=True)
class EvidenceRecord(Stored):
    """One source's evidence as the record keeps it."""

    source: str
    facts: Mapping[str, FactValue]
    gap: str | None
    took_ms: int
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision(Stored):
    """What was decided and why; `mode` is what was left after the guards, `wanted` what the policies asked for.

    `suspect_rule` and `suspect_images` are what the suspects of further regions are found by, `suspects_elsewhere` are
    those, by the target's key.
    """

    policy: str | None
    mode: Mode
    wanted: Mode
    caps: tuple[Cap, ...]
    trace: tuple[Mapping[str, Any], ...]
    reasons: tuple[str, ...]
    policy_set: str
    version: str
    notify: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    suspects_because: str = ""
    related_revisions: tuple[str, ...] = ()
    suspect_rule: Rule = "named"
    suspect_images: tuple[str, ...] = ()
    suspects_elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def because(self) -> str:
        """Why no more is done, in one line: the guards' reasons, and the policies' own where these ask already.

        A ceiling that leaves what the policies wanted anyway is no reason.
        """
        guards = [cap.reason for cap in self.caps if cap.name != "ceiling" or cap.mode < self.wanted]
        own = self.reasons if self.wanted is Mode.APPROVE or not guards else ()
        return "; ".join((*own, *guards))


@dataclass(frozen=True, slots=True)
class Question(Stored):
    """An open question: the digest that is to be approved, until when, and which cautions an approval answers.

    `escalated` counts how often it has expired and was put again.
    """

    digest: str
    asked_ns: int
    expires_ns: int
    cautions: tuple[str, ...]
    asked_before: tuple[str, ...] = ()
    escalated: int = 0


@dataclass(frozen=True, slots=True)
class Answer(Stored):
    """A person's approval of a digest, with the cautions that the question named and the approval so answers."""

    digest: str
    by: str
    at_ns: int
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Release(Stored):
    """A release under way: who asked, and the changes that restore, one a surface."""

    by: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Entry(Stored):
    """One line of history: who did what, when. Free of secrets; texts from outside are escaped before they get here."""

    at_ns: int
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Announcement(Stored):
    """One thing to tell, on one channel. Its id is stable: incident, number, channel.

    `again_ns` is when to try again what has failed `tries` times; `refused` is why the channel does not take it.
    """

    number: int
    channel: str
    phase: Phase
    sent: bool = False
    again_ns: int = 0
    tries: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceLocation(Stored):
    """Where the vault keeps the evidence: the manifest's name and hash, empty where there is none, and the gaps."""

    uri: str
    manifest: str = ""
    sha256: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident(Stored):
    """The whole record. `operation` is a write under way; `release` is one that was asked for and is not yet done.

    `plan` is what was drawn last, `done` what was carried out last and may stand while another is being asked about.
    `next_ns` is when the sweep has to look again: a question expires, a review is due. `closed_as` is what a person
    found it to be, `reopened` names suspects that others have made reachable again since, `cut` the parts that were
    too large to keep whole. `vault` is None until evidence was kept, or that was tried. `further` are targets beside
    the finding's own on which it has come to stand: its service in other regions, service accounts. `failed_on` are the
    actions that failed for good, by the target's key; `failed_actions` are those of records that did not tell where.
    """

    id: str
    phase: Phase
    created_ns: int
    updated_ns: int
    finding: Finding
    evidence: tuple[EvidenceRecord, ...] = ()
    verdict: Verdict | None = None
    decision: Decision | None = None
    plan: Plan | None = None
    outcomes: tuple[Outcome, ...] = ()
    still_open: tuple[str, ...] = ()
    history: tuple[Entry, ...] = ()
    question: Question | None = None
    answer: Answer | None = None
    operation: str | None = None
    release: Release | None = None
    done: Plan | None = None
    failed_actions: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    outbox: tuple[Announcement, ...] = ()
    owner: str = ""
    lease_until_ns: int = 0
    next_ns: int | None = None
    closed_as: str = ""
    cut: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    vault: EvidenceLocation | None = None
    further: tuple[Target, ...] = ()
    failed_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether a further event of its finding joins this incident."""
        return self.phase not in ENDED

    @property
    def stands(self) -> bool:
        """Whether a containment of it was carried out and has not been taken back, whatever is asked about it now."""
        return self.done is not None and self.open

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target that this incident may hold: the finding's own first, then those it came to hold besides."""
        own = (self.finding.target,) if isinstance(self.finding.target, Target) else ()
        return tuple({target.key: target for target in (*own, *self.further)}.values())

    def place_of(self, target: Target) -> str:
        """How a line begins that is about this target: nothing for the finding's own, else the place."""
        own = self.finding.target
        return "" if isinstance(own, Target) and own.key == target.key else f"{target.place}: "

    def failed_for(self, *targets: Target) -> frozenset[str]:
        """The actions that failed for good on these targets, so that their `otherwise` takes their place there."""
        return frozenset(self.failed_actions).union(*(self.failed_on.get(one.key, ()) for one in targets))

    def with_target(self, target: Target) -> Incident:
        """The incident once it holds this target, if that is not the finding's own."""
        if any(target.key == one.key for one in self.targets):
            return self
        return replace(self, further=(*self.further, target))

    @property
    def unsent(self) -> int:
        """How many announcements still have to be sent."""
        return sum(not one.sent for one in self.outbox)

    @property
    def due_ns(self) -> int | None:
        """When the sweep must look at it: at once for what its owner left unfinished, never for what is over."""
        at_once = self.lease_until_ns or self.updated_ns
        if self.phase in WORKING or self.release is not None:
            return at_once
        untold = [max(at_once, one.again_ns) for one in self.outbox if not one.sent]
        return min((*untold, *(() if self.next_ns is None else (self.next_ns,))), default=None)

    def with_history(self, at_ns: int, who: str, what: str) -> Incident:
        """The incident with one more line of history; of a very long one the middle goes, and a line says so."""
        history = (*self.history, Entry(at_ns, who, what))
        if len(history) > LONGEST_HISTORY:
            gap = Entry(history[_BEGINNING].at_ns, "firebreak", "… earlier lines were dropped here")
            history = (*history[:_BEGINNING], gap, *history[_BEGINNING + 2 :])
        return replace(self, history=history, updated_ns=at_ns)

    def with_announcements(self, channels: tuple[str, ...]) -> Incident:
        """The incident with its present phase waiting to be told on every channel."""
        number = max((one.number for one in self.outbox), default=0)
        new = tuple(Announcement(number + 1, channel, self.phase) for channel in channels)
        return replace(self, outbox=(*self.outbox, *new))

    def sent(self, announcement: Announcement) -> Incident:
        """The incident with that announcement marked as sent."""
        return self.noting(announcement, replace(announcement, sent=True))

    def noting(self, before: Announcement, after: Announcement) -> Incident:
        """The incident with what has become of that announcement."""
        return replace(self, outbox=tuple(after if one == before else one for one in self.outbox))


def asked(evidence: Evidence) -> EvidenceRecord:
    """What the record keeps of a source's answer."""
    return EvidenceRecord(evidence.source, evidence.facts, evidence.gap, evidence.took_ms, evidence.shown)
