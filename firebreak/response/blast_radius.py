"""Blast radius: slots taken by compare-and-set in the incident's name, so that a storm of findings asks a person."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

from firebreak.core.containment.plan import Plan
from firebreak.core.containment.slots import Slots, over_limit, written_targets
from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Cap
from firebreak.core.serialization import Unreadable, decode, encode
from firebreak.core.signing import NoKey
from firebreak.ledger.documents import Conflict, Damaged, Document, Save
from firebreak.ledger.records import NotActedOn
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

_SECONDS = 10.0
"""How long others are waited for: shorter than a lease, which nothing extends meanwhile."""
_TAKEN, _STORM = "taken", "storms"
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
        _change(app, _TAKEN, taking, deadline)
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
        _change(app, _TAKEN, lambda slots: slots.without_incident(incident_id), deadline)
    except (Transient, NotActedOn, NoKey) as fault:
        app.log("WARNING", f"its slots are not given back and age out within the hour: {fault}", incident=incident_id)


def tells_of_the_storm(app: App, incident: Incident) -> bool:
    """Whether this incident tells people of its project's storm: the first within an hour. In doubt it does."""
    targets = incident.targets[:1]
    told = True

    def telling(slots: Slots) -> Slots:
        nonlocal told
        others = (one for one in slots.taken if one.incident != incident.id)
        told = not any(one.target.project_spellings & mine.project_spellings for one in others for mine in targets)
        new = slots.targets_without_slot(incident.id, targets) if told else ()
        return slots.with_slots(incident.id, new, app.now_ns()) if new else slots

    try:
        _change(app, _STORM, telling, Deadline.after(_SECONDS))
    except (Transient, Unreadable, NotActedOn):
        return True
    return told


def _change(app: App, key: str, edit: Edit, deadline: Deadline) -> None:
    """Save what the edit makes of the slots as they are now, again until nobody came in between; raises Transient."""
    until = deadline.sooner(_SECONDS)
    for attempt in itertools.count():
        slots, document = app.ledger.slots() if key == _TAKEN else _storms(app)
        edited = edit(slots)
        if edited == slots or (edited is not None and _save(app, key, document, edited)):
            return
        if until.passed or not until.waits:
            message = "others keep taking slots for containments at this very moment"
            raise Transient(message)
        # Chance keeps those who met once from meeting again; nothing secret hangs on it.
        until.pause(random.uniform(0, min(0.5, 0.01 * 2 ** min(attempt, 6))))  # noqa: S311


def _storms(app: App) -> tuple[Slots, Document | None]:
    """What is kept of storms; raises Unreadable where that is damaged, which does not mend itself."""
    try:
        document = app.ledger.documents.read("slots", _STORM)
    except Damaged as fault:
        raise Unreadable(str(fault)) from None
    if document is None:
        return Slots(), None
    now = app.now_ns()
    slots = decode(Slots, document.body.get("slots")).of_last_hour(now)
    # Nobody sealed it: what was told in the future silences nothing.
    return replace(slots, taken=tuple(one for one in slots.taken if one.at_ns <= now)), document


def _save(app: App, key: str, document: Document | None, slots: Slots) -> bool:
    try:
        if key == _TAKEN:
            app.ledger.commit(app.ledger.slots_save(slots, document))
        else:
            app.ledger.documents.commit([Save("slots", key, {"slots": encode(slots)}, over=document)])
    except Conflict:
        return False
    return True
