"""How much is written at once: the slots of an hour, which keep a storm of findings small, and what Google takes.

Findings that one process has at work queue for both, and the most severe goes first. Nobody waits for long: a stream of
severe findings, or one that hangs, holds up no other for good; what does not get its turn in time is delivered again.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.plan import Plan
from firebreak.core.containment.slots import HOUR_NS, Slots, over_limit, written_targets
from firebreak.core.errors import Throttled, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Cap
from firebreak.core.policy.policy import Limits
from firebreak.core.signing import NoKey
from firebreak.ledger.documents import Conflict
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.marks import read_marks, save_marks
from firebreak.ledger.records import NotActedOn
from firebreak.ports.deadline import Deadline
from firebreak.ports.log import LogSink

_SECONDS = 20.0
"""How long a write is waited for: shorter than a lease, which nothing extends meanwhile."""
_MOST = 8
"""Of one region: half of what an instance has at work, so that the rest is there for the other regions."""
_CLOSED = (5.0, 10.0)
"""Seconds without a write after Google refused one; by chance, so that several instances do not come back at once."""
_SPACING = 1.0
"""Seconds between two writes from then on: Google takes 60 a minute of a project and region, whoever sends them."""
_CALM = 60.0
"""Seconds after which a region where nothing was refused any more is as any other."""
_SLOT_SECONDS = 10.0
"""How long others who take slots are waited for: shorter than a lease too."""
_YIELDS = 5.0
"""How long what is more severe is waited for at the slots."""
_TRIES = 20
_Place = tuple[str, str]


class _UsedUp(Exception):
    """The limits leave no room."""


class WriteQueue:
    """One for each process. What others write, other processes and people, is told by Google's refusals."""

    def __init__(self) -> None:
        """Nothing is at work."""
        self._lock = threading.Lock()
        self._arrivals = itertools.count()
        self._coming: dict[str, Finding] = {}
        self._waiting: list[tuple[_Place, int, int]] = []
        self._opens: dict[_Place, float] = {}

    @contextmanager
    def coming(self, worker: str, finding: Finding) -> Iterator[None]:
        """While the finding is on its way to its slots; `passed` ends that earlier."""
        with self._lock:
            self._coming[worker] = finding
        try:
            yield
        finally:
            self.passed(worker)

    def passed(self, worker: str) -> None:
        """It has its slots, or needs none."""
        with self._lock:
            self._coming.pop(worker, None)

    def before(self, worker: str) -> tuple[Target, ...]:
        """The targets of findings that are on their way to their slots, and more severe than the worker's own."""
        with self._lock:
            own = self._coming.get(worker)
            coming = [one.target for one in self._coming.values() if own and one.severity_rank < own.severity_rank]
        return tuple(one for one in coming if isinstance(one, Target))

    def take_slots(
        self, ledger: Ledger, limits: Limits, incident_id: str, plan: Plan, deadline: Deadline, log: LogSink
    ) -> tuple[Cap, ...]:
        """A slot for each target that the plan writes to, for all or for none; the incident's own are found again.

        Where there is no room for all that this process has at work, what is more severe goes first. Raises Transient
        where others keep coming in between: that is no limit, and the message comes again.
        """
        targets, yields = written_targets(plan), deadline.sooner(_YIELDS)

        def taking(slots: Slots) -> Slots | None:
            wanted = slots.targets_without_slot(incident_id, targets)
            if not wanted:
                return slots
            if reason := over_limit(slots, wanted, limits):
                raise _UsedUp(reason)
            before = () if yields.passed else self.before(ledger.owner)
            if before and over_limit(slots, (*wanted, *before), limits):
                return None
            return slots.with_slots(incident_id, wanted, ledger.now_ns())

        try:
            _change(ledger, taking, deadline)
        except _UsedUp as full:
            return (Cap("blast_radius", "caution", str(full)),)
        except NoKey:
            return ()  # nothing can be taken here, where things are only looked at
        except NotActedOn as fault:
            reason = "the record of containments within the hour cannot be read"
            log("ERROR", f"{reason}: {fault}", incident=incident_id)
            return (Cap("blast_radius", "caution", f"{reason}, which counts as used up", unknown=True),)
        finally:
            self.passed(ledger.owner)
        return ()

    def refused(self, target: Target) -> None:
        """Google takes no more writes of this project and region for now."""
        with self._lock:
            self._opens[target.project, target.location] = time.monotonic() + random.uniform(*_CLOSED)  # noqa: S311

    def waited(self, finding: Finding, target: Target, deadline: Deadline) -> bool:
        """Wait until a write to the target may go out; whether that took any time. Raises Throttled if it may not."""
        place, until = (target.project, target.location), deadline.sooner(_SECONDS)
        with self._lock:
            if place not in self._opens:
                return False
            own = (place, finding.severity_rank, next(self._arrivals))
            self._waiting.append(own)
        try:
            while not self._goes(own):
                if until.passed or not until.waits:
                    raise self._later(place)
                until.pause(0.1)
        finally:
            with self._lock:
                self._waiting.remove(own)
        return True

    def _goes(self, own: tuple[_Place, int, int]) -> bool:
        place, now = own[0], time.monotonic()
        with self._lock:
            ahead = sum(one < own for one in self._waiting if one[0] == place)
            opens = self._opens.get(place, -_CALM)
            if now - opens > _CALM:
                self._opens.pop(place, None)
                return True
            if ahead >= _MOST:
                raise self._later(place)
            if ahead or now < opens:
                return False
            self._opens[place] = now + _SPACING
            return True

    @staticmethod
    def _later(place: _Place) -> Throttled:
        return Throttled(f"Google takes no more writes in {place[1]} of {place[0]} this minute")


def give_slots_back(ledger: Ledger, incident: Incident, deadline: Deadline, log: LogSink) -> None:
    """An incident that wrote nothing counts for nothing; where that is not sure, or not saved, its slots age out."""
    if incident.done or incident.outcomes or incident.operation:
        return
    if any(entry.what.startswith("wrote ") for entry in incident.history):
        return
    try:
        if not ledger.held_targets(incident):
            _change(ledger, lambda slots: slots.without_incident(incident.id), deadline)
    except (Transient, NotActedOn, NoKey) as fault:
        log("WARNING", f"its slots are not given back and age out within the hour: {fault}", incident=incident.id)


def tells_of_the_storm(ledger: Ledger, incident: Incident) -> bool:
    """Whether this incident tells people of its project's storm: the first within an hour. In doubt it does."""
    now, mine = ledger.now_ns(), frozenset[str]().union(*(one.project_spellings for one in incident.targets[:1]))
    with suppress(Transient, NoKey):
        for _ in range(_TRIES):
            document, marks = read_marks(ledger, "storms")
            told = {project: said for project, said in marks.items() if 0 <= now - said[1] < HOUR_NS}
            if any(told[project][0] != incident.id for project in mine & told.keys()):
                return False
            with suppress(Conflict):
                save_marks(ledger, "storms", document, told | dict.fromkeys(mine - told.keys(), (incident.id, now)))
                break
    return True


def _change(ledger: Ledger, edit: Callable[[Slots], Slots | None], deadline: Deadline) -> None:
    """Save what the edit makes of the slots as they are now; None: not yet.

    That is tried again until nobody came in between; raises Transient.
    """
    until = deadline.sooner(_SLOT_SECONDS)
    for attempt in itertools.count():
        slots, document = ledger.slots()
        edited = edit(slots)
        if edited == slots:
            return
        with suppress(Conflict):
            if edited is not None:
                ledger.commit(ledger.slots_save(edited, document))
                return
        if until.passed or not until.waits:
            message = "others keep taking slots for containments at this very moment"
            raise Transient(message)
        # Chance keeps those who met once from meeting again; nothing secret hangs on it.
        until.pause(random.uniform(0, min(0.5, 0.01 * 2 ** min(attempt, 6))))  # noqa: S311
