"""What happened in a history, as somebody saw it who stood outside: every write with all that held at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from firebreak.core.cloud_run.state import Setting
from firebreak.core.containment.plan import Change
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.core.incidents.incident import Incident
from tests.model.cloud import Resource
from tests.model.policies import Word
from tests.model.scc import Event, Key

HaltRead = Literal["none", "set", "unread"]


class Violated(AssertionError):
    """An invariant does not hold; `number` says which, 0 stands for a fault of the product's own."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"invariant {number}: {what}")
        self.number = number


@dataclass(frozen=True, slots=True)
class Wrote:
    """One write that the cloud took.

    Attributes:
        seq: its place among all that happened.
        step: in which step it was made.
        at_ns: when, nanoseconds since 1970.
        trigger: what was being done: a command's verb, `message` or `sweep`.
        change: what the product said it was writing.
        before: the resource before it.
        after: the resource after it.
        incident: the incident as it was saved last before it; None where none was saved in this step.
        resources: every resource then, by place.
        held: what SCC held then.
        away: what did not answer then, to the step since which it did not.
        denied: what Firebreak was not allowed to do then.
        ceiling: the ceiling that the policies set.
        halt: how the halt read when it was last read in this step, and when that was; None where it was not read
            since the write before.
    """

    seq: int
    step: int
    at_ns: int
    trigger: str
    change: Change
    before: Resource
    after: Resource
    incident: Incident | None
    resources: Mapping[str, Resource]
    held: Mapping[Key, Event]
    away: Mapping[str, int]
    denied: frozenset[str]
    ceiling: Word
    halt: tuple[int, HaltRead] | None

    @property
    def place(self) -> str:
        return self.before.place

    @property
    def changed(self) -> Mapping[str, tuple[Setting | None, Setting | None]]:
        """Each setting that really changed, before and after."""
        keys = self.before.settings.keys() | self.after.settings.keys()
        pairs = {key: (self.before.settings.get(key), self.after.settings.get(key)) for key in sorted(keys)}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    def __str__(self) -> str:
        settings = ", ".join(f"{key}: {before} → {after}" for key, (before, after) in self.changed.items())
        return f"the write to {self.place} by {self.trigger} ({settings})"


@dataclass(frozen=True, slots=True)
class Told:
    """A command, the incident as it was just before, and what came of it; `result` is None where nobody was told."""

    seq: int
    step: int
    at_ns: int
    command: Command
    before: Incident | None
    result: CommandResult | None

    @property
    def done(self) -> bool:
        return self.result is not None and self.result.done


@dataclass(frozen=True, slots=True)
class Did:
    """What a person or a pipeline did to a resource: as it was before, and after; None where there was or is none."""

    seq: int
    step: int
    at_ns: int
    place: str
    what: str
    before: Resource | None
    after: Resource | None


@dataclass(frozen=True, slots=True)
class Came:
    """A message that was delivered; `acked` says whether it was acknowledged."""

    seq: int
    step: int
    at_ns: int
    event: Event
    acked: bool


@dataclass(frozen=True, slots=True)
class Tampered:
    """Somebody who can write the ledger, and has no key, changed or deleted a record; of an incident, whose it was."""

    seq: int
    step: int
    kind: str
    key: str
    how: str
    finding: Key | None = None

    @property
    def takes_back(self) -> bool:
        """Whether a record was put back or deleted, and not merely changed: the ledger is behind itself then."""
        return self.how in ("put back", "delete")


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep: `clean` where nothing was away or denied and it came to its end."""

    seq: int
    step: int
    at_ns: int
    clean: bool


@dataclass(frozen=True, slots=True)
class Look:
    """An incident at the end of a step."""

    step: int
    at_ns: int
    incident: Incident


@dataclass
class History:
    """All of it, in order.

    `first` is what was there when it began, `halts` are the moments at which the halt was set or lifted, as people were
    told, and `looks` are, for each incident, the ends of those steps in which its record was saved.
    `ceilings` are the moments at which policies were deployed under another one.
    """

    first: Mapping[str, Resource] = field(default_factory=dict)
    seq: int = 0
    step: int = 0
    began_ns: int = 0
    writes: list[Wrote] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    did: list[Did] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)
    tampered: list[Tampered] = field(default_factory=list)
    sweeps: list[Swept] = field(default_factory=list)
    halts: list[tuple[int, bool | None]] = field(default_factory=list)
    looks: dict[str, list[Look]] = field(default_factory=dict)
    halt_read: tuple[int, HaltRead] | None = None
    ceilings: list[tuple[int, Word]] = field(default_factory=list)
    saved_last: str = ""
    saved: set[str] = field(default_factory=set)

    def copy(self) -> History:
        """The same, apart."""
        mine = replace(self, looks={incident: list(found) for incident, found in self.looks.items()})
        for name in _LISTS:
            setattr(mine, name, list(getattr(self, name)))
        mine.saved = set(self.saved)
        return mine

    def next(self) -> int:
        """The place of the next thing that happens."""
        self.seq += 1
        return self.seq

    def begin(self, now_ns: int) -> None:
        """A new step begins."""
        self.step += 1
        self.began_ns = now_ns
        self.halt_read, self.saved_last = None, ""
        self.saved.clear()

    def halted_at(self, seq: int) -> bool | None:
        """Whether the halt stood then; None where nobody can know."""
        return next((stood for at, stood in reversed(self.halts) if at < seq), False)

    def ceiling_at(self, at_ns: int) -> Word:
        """The ceiling that stood then."""
        return next((word for since_ns, word in reversed(self.ceilings) if since_ns <= at_ns), "enforce")

    def last(self, incident: str) -> Incident | None:
        """The incident as it was at the end of the last step."""
        found = self.looks.get(incident)
        return found[-1].incident if found else None

    def before_step(self, incident: str, step: int) -> Incident | None:
        """The incident as it was before that step."""
        found = [one.incident for one in self.looks.get(incident, ()) if one.step < step]
        return found[-1] if found else None

    def is_tampered(self, incident: str) -> bool:
        """Whether somebody changed the incident's record: what bears a broken seal is told of, and people mend it."""
        return any((one.kind, one.key) == ("incident", incident) for one in self.tampered)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Every incident as it was at the end of the last step."""
        return tuple(found[-1].incident for found in self.looks.values())

    def this_step(self) -> tuple[Wrote, ...]:
        """The writes of this step."""
        return tuple(one for one in self.writes if one.step == self.step)


_LISTS = ("writes", "told", "did", "came", "tampered", "sweeps", "halts", "ceilings")
