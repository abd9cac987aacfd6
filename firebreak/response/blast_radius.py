"""Blast radius: slots taken by compare-and-set in the incident's name, so that a storm of findings asks a person."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from contextlib import suppress

from firebreak.core.containment.plan import Plan
from firebreak.core.containment.slots import HOUR_NS, Slots, over_limit, written_targets
from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Cap
from firebreak.core.signing import NoKey
from firebreak.ledger.documents import Conflict
from firebreak.ledger.marks import read_marks, save_marks
from firebreak.ledger.records import NotActedOn
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

_SECONDS = 10.0
"""How long others are waited for: shorter than a lease, which nothing extends meanwhile."""
_TRIES = 20
_YIELDS = 5.0
"""How long what is more severe is waited for."""
Edit = Callable[[Slots], Slots | None]
"""What is to be saved; None: not yet."""


class _UsedUp(Exception):
    """The limits leave no room."""


def take_slots(app: App, incident_id: str, plan: Plan, deadline: Deadline) -> tuple[Cap, ...]:
    """A slot for each target that the plan writes to, for all or for none; the incident's own are found again.

    Where there is no room for all that this process has at work, what is more severe goes first. Raises Transient where
    others keep coming in between: that is no limit, and the message comes again.
    """
    targets, limits = written_targets(plan), app.policies.config.limits
    yields = deadline.sooner(_YIELDS)

    def taking(slots: Slots) -> Slots | None:
        wanted = slots.targets_without_slot(incident_id, targets)
        if not wanted:
            return slots
        if reason := over_limit(slots, wanted, limits):
            raise _UsedUp(reason)
        before = () if yields.passed else app.queue.before(app.ledger.owner)
        if before and over_limit(slots, (*wanted, *before), limits):
            return None
        return slots.with_slots(incident_id, wanted, app.now_ns())

    try:
        _change(app, taking, deadline)
    except _UsedUp as full:
        return (Cap("blast_radius", "caution", str(full)),)
    except NoKey:
        return ()  # nothing can be taken here, where things are only looked at
    except NotActedOn as fault:
        app.log("ERROR", f"the record of containments within the hour cannot be read: {fault}", incident=incident_id)
        reason = "the record of containments within the hour cannot be read, which counts as used up"
        return (Cap("blast_radius", "caution", reason, unknown=True),)
    finally:
        app.queue.passed(app.ledger.owner)
    return ()


def never_wrote(app: App, incident: Incident) -> bool:
    """Whether it is sure that the incident has written nothing: only then are its slots given back."""
    if incident.done or incident.outcomes or incident.operation:
        return False
    if any(entry.what.startswith("wrote ") for entry in incident.history):
        return False
    try:
        return not app.ledger.held_targets(incident)
    except NotActedOn:
        return False


def give_slots_back(app: App, incident_id: str, deadline: Deadline) -> None:
    """An incident that wrote nothing counts for nothing; where that cannot be saved, its slots age out."""
    try:
        _change(app, lambda slots: slots.without_incident(incident_id), deadline)
    except (Transient, NotActedOn, NoKey) as fault:
        app.log("WARNING", f"its slots are not given back and age out within the hour: {fault}", incident=incident_id)


def tells_of_the_storm(app: App, incident: Incident) -> bool:
    """Whether this incident tells people of its project's storm: the first within an hour. In doubt it does."""
    now, mine = app.now_ns(), frozenset[str]().union(*(one.project_spellings for one in incident.targets[:1]))
    with suppress(Transient, NoKey):
        for _ in range(_TRIES):
            document, marks = read_marks(app.ledger, "storms")
            told = {project: said for project, said in marks.items() if 0 <= now - said[1] < HOUR_NS}
            if any(told[project][0] != incident.id for project in mine & told.keys()):
                return False
            with suppress(Conflict):
                save_marks(app.ledger, "storms", document, told | dict.fromkeys(mine - told.keys(), (incident.id, now)))
                break
    return True


def _change(app: App, edit: Edit, deadline: Deadline) -> None:
    """Save what the edit makes of the slots as they are now, again until nobody came in between; raises Transient."""
    until = deadline.sooner(_SECONDS)
    for attempt in itertools.count():
        slots, document = app.ledger.slots()
        edited = edit(slots)
        if edited == slots:
            return
        with suppress(Conflict):
            if edited is not None:
                app.ledger.commit(app.ledger.slots_save(edited, document))
                return
        if until.passed or not until.waits:
            message = "others keep taking slots for containments at this very moment"
            raise Transient(message)
        # Chance keeps those who met once from meeting again; nothing secret hangs on it.
        until.pause(random.uniform(0, min(0.5, 0.01 * 2 ** min(attempt, 6))))  # noqa: S311
