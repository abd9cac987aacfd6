"""The incident: one event's whole story, as saved, announced and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Outcome, Plan
from firebreak.core.containment.review import Drift
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.verdict import Verdict
from firebreak.core.incidents.announcement import Announcement
from firebreak.core.incidents.decision import Decision
from firebreak.core.incidents.event import Event
from firebreak.core.incidents.evidence_record import EvidenceLocation, EvidenceRecord
from firebreak.core.incidents.phase import ENDED, WORKING, Phase
from firebreak.core.incidents.question import Answer, Question
from firebreak.core.incidents.release import Release
from firebreak.core.storage_names import Stored

LONGEST_HISTORY = 200
MOST_EVENTS = 100
"""A further one begins another incident, so that none is left out."""
_BEGINNING = 20


@dataclass(frozen=True, slots=True)
class Wait(Stored):
    """What a deferred incident waits for, as a word (`halt`, `unconfirmed`, `settled`) and a sentence, and since when.

    `since_ns`: nanoseconds since 1970.
    """

    what: str
    reason: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class Entry(Stored):
    """One line of history: who did what, when. Free of secrets; texts from outside are escaped before they get here."""

    at_ns: int
    who: str
    what: str


REFUSED_ANNOUNCEMENT = " refused the announcement: "
"""What an entry says of a channel: it is no news of the incident."""


@dataclass(frozen=True, slots=True)
class Incident(Stored):
    """Everything about one finding, as it is saved.

    Attributes:
        id: `fb-` and 16 hex digits.
        phase: where the incident is.
        created_ns: nanoseconds since 1970.
        updated_ns: nanoseconds since 1970.
        finding: the finding that it is about.
        evidence: what each source answered.
        verdict: what the evidence says of the finding; None before the evidence was collected.
        decision: what was decided; None before that.
        plan: the plan that was drafted last; None before that.
        outcomes: the result of every change that was tried.
        still_open: what the containment does not close.
        history: what happened, oldest first.
        question: the question that was put to a person; None if none was.
        answer: a person's approval; None before that.
        operation: name of a write that is under way; None if none is.
        release: a release that was requested and is not finished; None if there is none.
        done: the plan that was carried out last; it may be in force while another one is being asked about.
        failed_actions: actions that failed for good, in records of older versions that do not say on which target.
        unsupported: `key=value` settings that the API has refused.
        outbox: announcements, sent and unsent.
        owner: token of the process that works on it; empty if none does.
        lease_until_ns: when the owner's claim ends, nanoseconds since 1970.
        next_ns: when the sweep has to look again (a question expires, a review is due); None means never.
        closed_as: what a person found the incident to be, one of `command.CLOSED_AS`; empty before that.
        cut: names of the parts that were too large to keep whole.
        reopened: suspects that somebody has made reachable again, and doors that somebody has opened again.
        vault: where the evidence is kept; None before it was tried.
        further: targets beside the finding's own that it holds: the service in other regions, service accounts.
        failed_on: target's key to the actions that failed for good there.
        events: every event of the finding that it is about, in the order in which they came.
        waits: what it waits for while it is deferred; None if it is not.
        away: what could not be reached, to when that was first met, nanoseconds since 1970; cleared by an answer.
        floors: place of another sealed record to the lowest counter that it may have.
        uid: Google's own identity of the finding's target when the suspects were found; empty where it is not known.
        uids: key of a target to the uid that it had when it was first looked at, or last seen as it was written. What
            was made anew since is another one.
        threads: name of a channel of `firebreak.yaml` that was told of it to what its later messages join there.
        drift: key of a target to what others have changed there since; nothing where it is as it was left.
        rested_on: what the decision rested on beside finding and evidence, so that other policies can be tried on it;
            JSON of a `RestedOn`.
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
    events: tuple[Event, ...] = ()
    waits: Wait | None = None
    away: Mapping[str, int] = field(default_factory=dict)
    floors: Mapping[str, int] = field(default_factory=dict)
    uid: str = ""
    uids: Mapping[str, str] = field(default_factory=dict)
    drift: Mapping[str, Drift] = field(default_factory=dict)
    threads: Mapping[str, str] = field(default_factory=dict)
    rested_on: Mapping[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.phase not in ENDED

    @property
    def full(self) -> bool:
        """Whether it has no room for a further event of its finding."""
        return len(self.events) >= MOST_EVENTS

    @property
    def stands(self) -> bool:
        """Whether one of its containments is in force, whatever is being asked about it now."""
        return self.done is not None and self.open

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target that this incident may hold: the finding's own first, then those it came to hold besides."""
        own = (self.finding.target,) if isinstance(self.finding.target, Target) else ()
        return tuple({target.key: target for target in (*own, *self.further)}.values())

    @property
    def begun(self) -> bool:
        """Whether a part of its plan was carried out, or tried."""
        return self.plan is not None and any(one.plan == self.plan.digest for one in self.outcomes)

    @property
    def reopens(self) -> bool:
        """Whether it was given up for what may pass, a mute above all: seen ACTIVE and unmuted it is decided anew."""
        waited = self.waits is not None and self.phase in ("declined", "contained")
        return waited or (self.phase == "declined" and self.decision is None)

    @property
    def counting(self) -> tuple[str, ...]:
        """Ids of the events that count: SCC confirmed them, or a person did."""
        return tuple(one.id for one in self.events if one.status == "counts")

    @property
    def believed(self) -> bool:
        """Whether it tells others anything: SCC, or a person, confirmed it, of a source that may lead to a write."""
        foreign = self.decision is not None and any(cap.name == "source" for cap in self.decision.caps)
        return not foreign and (not self.events or bool(self.counting) or self.done is not None)

    @property
    def undecided(self) -> bool:
        """Whether an event came that SCC was not asked about, or that no decision was taken with yet."""
        return any(one.status != "unconfirmed" and not one.decided for one in self.events)

    def with_events_decided(self) -> Incident:
        """The incident once no event of it is waited for any more."""
        return replace(self, events=tuple(replace(one, decided=True) for one in self.events))

    def with_answered_events(self) -> Incident:
        """The incident once its question is over: what a caution of it is about is not asked about by itself again."""
        about = {key.partition(":")[2] for key in self.question.cautions} if self.question else set[str]()
        events = (replace(one, answered=one.answered or one.id in about) for one in self.events)
        return replace(self, events=tuple(events))

    def suspects_on(self, target: Target) -> frozenset[str]:
        """The suspects on this target that the events that count have given."""
        counting = (one for one in self.events if one.status == "counts")
        return frozenset(name for one in counting for key in target.keys for name in one.suspects.get(key, ()))

    @property
    def releasing(self) -> bool:
        """Whether a release is under way; one of which something was refused rests until it is asked for again."""
        release = self.release
        return release is not None and not (release.over or release.digest or release.rests)

    def place_of(self, target: Target) -> str:
        """Prefix of a line about this target: empty for the finding's own target, else its place and a colon."""
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

    def uid_of(self, target: Target) -> str:
        """Google's own identity of one of its targets, as far as it is known."""
        own = self.finding.target
        mine = isinstance(own, Target) and own.key == target.key
        return self.uid if mine else self.uids.get(target.key, "")

    @property
    def unsent(self) -> int:
        """How many announcements still have to be sent."""
        return sum(not one.sent for one in self.outbox)

    @property
    def due_ns(self) -> int | None:
        """When the sweep must look at it, nanoseconds since 1970: now if work is unfinished, None if nothing is due."""
        at_once = self.lease_until_ns or self.updated_ns
        if self.phase in WORKING or self.undecided or self.releasing:
            return at_once
        untold = [max(at_once, one.again_ns) for one in self.outbox if not one.sent]
        unheld = [one.again_ns for one in self.events if one.unheld and self.open]
        return min((*untold, *unheld, *(() if self.next_ns is None else (self.next_ns,))), default=None)

    def with_history(self, at_ns: int, who: str, what: str) -> Incident:
        """The incident with one more entry; beyond LONGEST_HISTORY the middle is dropped and an entry says so."""
        history = (*self.history, Entry(at_ns, who, what))
        if len(history) > LONGEST_HISTORY:
            gap = Entry(history[_BEGINNING].at_ns, "firebreak", "… earlier lines were dropped here")
            history = (*history[:_BEGINNING], gap, *history[_BEGINNING + 2 :])
        return replace(self, history=history, updated_ns=at_ns)

    def with_announcements(self, channels: tuple[str, ...]) -> Incident:
        """The incident with its present phase waiting to be told on every channel; no overtaken reminder is left."""
        number = max((one.number for one in self.outbox), default=0)
        new = tuple(Announcement(number + 1, channel, self.phase) for channel in channels)
        kept = tuple(replace(one, sent=True) if self.is_overtaken(one) else one for one in self.outbox)
        return replace(self, outbox=(*kept, *new))

    def with_reminder(self, level: int, channels: tuple[str, ...], due_ns: int) -> Incident:
        """The incident with its question waiting to be told again then, nanoseconds since 1970; each level once."""
        about = self.question.digest if self.question else ""
        told = {(one.level, one.about, one.channel) for one in self.outbox if level > 1 or not one.sent}
        number = max((one.number for one in self.outbox), default=0)
        new = tuple(
            Announcement(number + 1, name, self.phase, again_ns=due_ns, level=level, about=about)
            for name in channels
            if (level, about, name) not in told
        )
        return replace(self, outbox=(*self.outbox, *new))

    def is_overtaken(self, one: Announcement) -> bool:
        """Whether it reminds of what is not asked any more."""
        asked = self.question.digest if self.question and self.phase == "waiting" else ""
        return one.level > 0 and one.about != asked

    def with_plan(self, plan: Plan) -> Incident:
        """The incident with a plan of which nothing was tried yet, also where it had the very same one before."""
        outcomes = tuple(replace(one, plan="earlier") if one.plan == plan.digest else one for one in self.outcomes)
        return replace(self, plan=plan, outcomes=outcomes)

    def with_drift(self, target: str, drift: Drift | None) -> Incident:
        """The incident with what others have changed on the target of this key; None: it is as it was left."""
        known = {key: one for key, one in self.drift.items() if key != target} | ({target: drift} if drift else {})
        opened = sorted({name for one in known.values() for name in one.opened})
        return replace(self, drift=known, reopened=tuple(opened))

    def mark_sent(self, announcement: Announcement) -> Incident:
        """The incident with that announcement marked as sent."""
        return self.replace_announcement(announcement, replace(announcement, sent=True))

    def replace_announcement(self, before: Announcement, after: Announcement) -> Incident:
        """The incident with what has become of that announcement."""
        return replace(self, outbox=tuple(after if one == before else one for one in self.outbox))
