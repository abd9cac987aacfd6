"""What time and accidents leave behind: found and carried on, with no item waited for or kept from its turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from firebreak.core.cloud_run.target import Target
from firebreak.core.code_location import kind_and_place, place
from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.notification import Notification
from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import Incident
from firebreak.core.secrets.redaction import LONGEST_LIST
from firebreak.ledger.documents import Document
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ledger.renewal import renew
from firebreak.ports.deadline import Deadline
from firebreak.response.anchor import anchor
from firebreak.response.app import App
from firebreak.response.drift import look_at
from firebreak.response.missed import look_for_missed
from firebreak.response.set_aside import LOOK_AGAIN_NS, look_again, set_aside
from firebreak.response.turns import Item, Turns
from firebreak.response.weekly import publish_weekly

_MOST = 1000
"""Of each kind of work, so much at most is looked at in one sweep, the longest due first."""
_MOST_TOLD = 5
_PATIENCE = 5.0
"""Seconds for writes that are still under way when everything else has had its turn: most end within them."""


class Tally(Counter[str]):
    """How many of each kind of thing a sweep did. `refused` says what it could not deal with, and why.

    `later` is what somebody else is at work on, or could not be reached, or had no time left: the next sweep comes
    back to it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.later: list[str] = []


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, by how many; what it could not deal with, and what it comes back to, each with the reason."""

    done: Mapping[str, int]
    refused: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For people; the log has more of the reasons."""
        counts = ", ".join(f"{what}: {number}" for what, number in sorted(self.done.items()))
        told = "; ".join(first_few((*self.refused, *self.later), _MOST_TOLD))
        reasons = f" ({told})" if told else ""
        return f"{counts}{reasons}" or "nothing was left to do"


CarryOn = Callable[[Tally, str, Deadline], str | None]
Note = Callable[[Notification], object]


def sweep_everything(app: App, carry_on: CarryOn, note: Note, deadline: Deadline) -> Swept:
    """Every kind of work in its turn, each for a share of the time that is left; then what was left over.

    What SCC holds is only noted, so that it is decided with the other incidents that are due.
    """
    counts = Tally()
    turns = Turns(partial(_isolated, app, counts), deadline.without_waiting())
    turns.give(0.1, "the counters in the vault", lambda: [Item("the counters in the vault", partial(_anchored, app))])
    turns.give(0.3, "the findings of SCC", lambda: _findings(app, counts, note))
    turns.give(0.6, "what is due", lambda: _due(app, partial(carry_on, counts)))
    turns.give(0.5, "what stands", lambda: _standing(app))
    turns.give(0.5, "what is set aside", lambda: _set_aside(app))
    turns.give(1.0, "the ledger", lambda: _upkeep(app, counts))
    for one in turns.finish(_PATIENCE):
        counts["left for the next sweep"] += 1
        counts.later.append(f"{one}: there was no time left")
    done = {what: number for what, number in counts.items() if number}
    swept = Swept(done, tuple(counts.refused), tuple(counts.later))
    refused, later = (tuple(first_few(one, LONGEST_LIST)) for one in (swept.refused, swept.later))
    # An alert counts this very message: nothing may be added to it.
    app.log("NOTICE", "the sweep is done", sweep=done, refused=refused, later=later)
    return swept


def _isolated(app: App, counts: Tally, what: str, work: Callable[[], str | None], *, last: bool) -> bool:
    """Do one item; whatever becomes of it, the next one has its turn. False where it is to be tried once more."""
    try:
        done = work()
    except Transient as fault:
        if not last:
            return False
        counts["busy or unreachable"] += 1
        counts.later.append(f"{what}: {fault}")
        app.log("WARNING", f"the sweep comes back to {what}: {fault}")
    except NotActedOn as fault:
        set_aside(app, fault)
        counts["set aside"] += 1
        counts.refused.append(f"{what}: {fault}")
    except Refused as fault:
        counts["refused"] += 1
        counts.refused.append(f"{what}: {fault}")
        app.log("ERROR", f"the sweep could not deal with {what}: {fault}")
    except Exception as fault:  # noqa: BLE001 - one item's fault must not keep the others from being looked at
        counts["faults"] += 1
        counts.refused.append(f"{what}: a fault in Firebreak itself: {kind_and_place(fault)}")
        app.log("ERROR", f"a fault in Firebreak itself, at {what}: {type(fault).__name__}: {fault} ({place(fault)})")
    else:
        counts.update([done] if done else [])
    return True


def _anchored(app: App, deadline: Deadline) -> str | None:
    found = anchor(app.ledger, app.vault, app.now_ns(), deadline)
    if found:
        app.log("ERROR", found)
    return "halted" if found else None


def _findings(app: App, counts: Tally, note: Note) -> list[Item]:
    """One look at each location of SCC; raises Refused where none is of use."""

    def noted(told: Notification) -> None:
        note(told)
        counts["missed findings answered"] += 1

    def look(one: str, deadline: Deadline) -> None:
        look_for_missed(app, one, noted, deadline)

    names = {one: "the findings of SCC" + ("" if one == "global" else f" in {one}") for one in app.settings.locations}
    return [Item(what, partial(look, one), f"SCC {one}") for one, what in names.items()]


def _due(app: App, carry_on: Callable[[str, Deadline], str | None]) -> list[Item]:
    """Every incident whose time has come: what was never in the way first, and what cannot be read last.

    What waits for a halt that stands is not due at all.
    """
    found = list(app.ledger.due(_MOST))
    readable = [one for one in found if isinstance(one, StoredIncident)]
    if app.ledger.halt_reason():
        readable = [one for one in readable if not _waits_for_the_halt(one.incident)]
    ids = [one.incident.id for one in sorted(readable, key=lambda one: _rank(one.incident))]
    places = {one.incident.id: _place_of(one.incident) for one in readable}
    ids += [one.document.key for one in found if isinstance(one, NotActedOn)]
    return [Item(f"incident {one}", partial(carry_on, one), places.get(one, "")) for one in ids]


def _waits_for_the_halt(incident: Incident) -> bool:
    """Whether there is nothing else for which it is due."""
    waits = incident.waits is not None and incident.waits.what == "halt" and incident.phase == "deferred"
    return waits and replace(incident, next_ns=None).due_ns is None


def _rank(incident: Incident) -> tuple[bool, int]:
    """What could not be reached last time comes after what could, and what was deferred after all else.

    Of that the most severe comes first.
    """
    deferred = incident.phase == "deferred"
    return bool(incident.away), 1 + incident.finding.severity_rank if deferred else 0


def _place_of(incident: Incident) -> str:
    """Where calls for it go that may hang."""
    target = incident.finding.target
    return f"{target.location}/{target.kind}" if isinstance(target, Target) else ""


def _standing(app: App) -> list[Item]:
    """Every target on which something stands, the one longest not looked at first."""
    keys = [one.key for one in app.ledger.documents.due("look", app.now_ns(), _MOST)]
    return [Item(one, partial(_look, app, one), "/".join(one.split("/")[1:3])) for one in keys]


def _look(app: App, target: str, deadline: Deadline) -> str | None:
    """Look at one target, which then comes after all others; one on which nothing stands is looked at no more."""
    again: int | None = app.now_ns() + LOOK_AGAIN_NS
    try:
        found = look_at(app, target, deadline)
        again = again if app.ledger.standing_at(target)[0].holds else None
    finally:
        app.ledger.schedule_drift_check(target, again)
    return f"drift {found}" if found else None


def _set_aside(app: App) -> list[Item]:
    """Every record that was set aside and is not known to have been repaired, the longest not looked at first."""
    notes = app.ledger.documents.due("set_aside", app.now_ns(), _MOST)
    return [Item(f"{one.body.get('kind')} {one.body.get('key')}", partial(_look_again, app, one)) for one in notes]


def _look_again(app: App, note: Document, _: Deadline) -> str:
    return look_again(app, note)


def _upkeep(app: App, counts: Tally) -> Iterable[Item]:
    """The ledger's own: slots that cannot be read, seals of older keys, what an index hides, and what has expired."""

    def renewed(_: Deadline) -> None:
        found = renew(app.ledger)
        counts["records signed anew"] += found.signed
        counts["records found again"] += len(found.hidden)
        if found.hidden:
            hidden = ", ".join(first_few(found.hidden, _MOST_TOLD))
            app.log("ERROR", f"the index did not have these, as if somebody without the key had hidden them: {hidden}")

    def forgotten(_: Deadline) -> None:
        counts["records forgotten"] += app.ledger.documents.forget(app.now_ns(), _MOST)

    slots = Item("the slots", lambda _: "slots begun anew" if app.ledger.mend_slots() else None)
    weekly = Item("the weekly report", partial(publish_weekly, app))
    return [slots, Item("older seals", renewed), Item("what has expired", forgotten), weekly]


_STILL: Mapping[str, str] = MappingProxyType(
    {
        "waiting": "asked again",
        "containing": "containments carried on",
        "verifying": "containments carried on",
        "contained": "reviewed",
        "failed": "reviewed",
    }
)
"""Of what rests in the phase that it had."""


def what_came_of(before: Incident, after: Incident) -> str:
    """What the sweep did with an incident, in the words that it is counted by: how it is now, where that is another."""
    if after.phase == "released":
        return "released"
    if before.releasing:
        return "releases carried on"
    if before.phase == after.phase or after.phase in ("containing", "verifying"):
        return _STILL.get(after.phase, after.phase)
    if (before.phase, after.phase) == ("waiting", "contained"):
        return "contained unanswered"
    if (before.phase, after.phase) == ("deferred", "declined"):
        return "given up"
    return "asked" if after.phase == "waiting" else after.phase
