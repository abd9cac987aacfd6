"""What time and accidents leave behind, found and carried on: bounded, resumable, and safe to run twice at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from firebreak.core.code_location import kind_and_place, place
from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Notification
from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import NotActedOn
from firebreak.ledger.renewal import sign_anew
from firebreak.ports.deadline import Deadline
from firebreak.response.anchor import anchor
from firebreak.response.app import App
from firebreak.response.drift import look_at
from firebreak.response.missed import answer_missed
from firebreak.response.set_aside import LOOK_AGAIN_NS, look_again, set_aside

MOST = 200
"""Of each kind of work, at most so much in one sweep; what is left comes first in the next."""
_MOST_FORGOTTEN = 1000
_MOST_TOLD = 5
_ANCHOR_SECONDS = 10.0
_SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


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
        """For people; the log has every reason."""
        counts = ", ".join(f"{what}: {number}" for what, number in sorted(self.done.items()))
        told = "; ".join(first_few((*self.refused, *self.later), _MOST_TOLD))
        reasons = f" ({told})" if told else ""
        return f"{counts}{reasons}" or "nothing was left to do"


def sweep_everything(
    app: App,
    carry_on: Callable[[Tally, str], str | None],
    answer: Callable[[Notification], str],
    deadline: Deadline,
) -> Swept:
    """Every kind of work in its turn: incidents that are due, what stands, what is set aside, what was missed."""
    counts = Tally()
    isolated(app, counts, "the counters in the vault", lambda: _halted_if_behind(app, deadline))
    due_incidents(app, counts, lambda key: carry_on(counts, key), deadline)
    standing_targets(app, counts, deadline)
    what_is_set_aside(app, counts, deadline)
    isolated(app, counts, "the findings of SCC", lambda: _answer_missed(app, counts, answer, deadline))
    isolated(app, counts, "the slots", lambda: "slots begun anew" if app.ledger.mend_slots() else None)
    isolated(app, counts, "older seals", lambda: _sign_anew(app, counts))
    isolated(app, counts, "what has expired", lambda: _forget(app, counts))
    done = {what: number for what, number in counts.items() if number}
    swept = Swept(done, tuple(counts.refused), tuple(counts.later))
    # An alert counts this very message: nothing may be added to it.
    app.log("NOTICE", "the sweep is done", sweep=done, refused=swept.refused, later=swept.later)
    return swept


def _halted_if_behind(app: App, deadline: Deadline) -> str | None:
    found = anchor(app.ledger, app.vault, app.now_ns(), deadline.sooner(_ANCHOR_SECONDS))
    if found:
        app.log("ERROR", found)
    return "halted" if found else None


def _sign_anew(app: App, counts: Tally) -> None:
    counts["records signed anew"] += sign_anew(app.ledger)


def _answer_missed(app: App, counts: Tally, answer: Callable[[Notification], str], deadline: Deadline) -> None:
    def one(notification: Notification) -> None:
        name = notification.finding.name
        isolated(app, counts, f"finding {name.source}/{name.finding}", lambda: answer(notification))

    answered, all_of_them = answer_missed(app, one, deadline)
    counts["missed findings answered"] += answered
    if not all_of_them:
        out_of_time(counts, "the next of the findings of SCC")


def _forget(app: App, counts: Tally) -> None:
    counts["records forgotten"] += app.ledger.documents.forget(app.now_ns(), _MOST_FORGOTTEN)


def what_came_of(before: Incident, after: Incident) -> str:
    """What the sweep did with an incident, in the words that it is counted by."""
    if after.phase == "released":
        return "released"
    if before.releasing:
        return "releases carried on"
    if before.phase == "waiting":
        return {"waiting": "asked again", "contained": "contained unanswered"}.get(after.phase, after.phase)
    if before.phase in ("containing", "verifying"):
        return "containments carried on"
    if before.phase == "deferred":
        return "taken up" if after.phase != "declined" else "given up"
    return "decided" if before.phase == "received" else "reviewed"


def out_of_time(counts: Tally, what: str) -> None:
    """Leave this item, and those after it, for the next sweep."""
    counts["left for the next sweep"] += 1
    counts.later.append(f"{what} and what comes after it: left for the next sweep")


def isolated(app: App, counts: Tally, what: str, work: Callable[[], str | None]) -> None:
    """Do one item; whatever becomes of it, the next one has its turn."""
    try:
        done = work()
    except Transient as fault:
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


def due_incidents(app: App, counts: Tally, carry_on: Callable[[str], str | None], deadline: Deadline) -> None:
    """Every incident whose time has come, the longest due first."""
    keys = [document.key for document in app.ledger.documents.due("incident", app.now_ns(), MOST)]
    for key in sorted(keys, key=lambda one: _severity(app, one)):
        if deadline.passed:
            out_of_time(counts, f"incident {key}")
            return
        isolated(app, counts, f"incident {key}", lambda key=key: carry_on(key))  # type: ignore[misc]


def _severity(app: App, incident_id: str) -> int:
    """What waited comes back the most severe first, after all else that is due."""
    held = app.ledger.read(incident_id)
    if held is None or held.incident.phase != "deferred":
        return 0
    found = held.incident.finding.severity
    return 1 + (_SEVERITIES.index(found) if found in _SEVERITIES else len(_SEVERITIES))


def standing_targets(app: App, counts: Tally, deadline: Deadline) -> None:
    """Every target on which something stands, the one longest not looked at first."""
    for document in list(app.ledger.documents.due("look", app.now_ns(), MOST)):
        if deadline.passed:
            out_of_time(counts, document.key)
            return
        isolated(app, counts, document.key, lambda one=document: _look(app, one.key, deadline))  # type: ignore[misc]


def what_is_set_aside(app: App, counts: Tally, deadline: Deadline) -> None:
    """Every record that was set aside and is not known to have been repaired, the longest not looked at first."""
    for note in list(app.ledger.documents.due("set_aside", app.now_ns(), MOST)):
        if deadline.passed:
            counts["left for the next sweep"] += 1
            return
        what = f"{note.body.get('kind')} {note.body.get('key')}"
        isolated(app, counts, what, lambda one=note: look_again(app, one))  # type: ignore[misc]


def _look(app: App, target: str, deadline: Deadline) -> str | None:
    try:
        found = look_at(app, target, deadline)
    except Refused:
        app.ledger.schedule_drift_check(target, app.now_ns() + LOOK_AGAIN_NS)
        raise
    stands = app.ledger.standing_at(target)[0].holds
    app.ledger.schedule_drift_check(target, app.now_ns() + LOOK_AGAIN_NS if stands else None)
    return f"drift {found}" if found else None
