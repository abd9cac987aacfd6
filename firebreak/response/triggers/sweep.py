"""What time and accidents leave behind, found and carried on: bounded, resumable, and safe to run twice at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.code_location import kind_and_place, place
from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Notification
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.mode import Mode
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.containment.contain import contain
from firebreak.response.containment.holds import held_targets, holds, policy_of, resting, review_ns
from firebreak.response.containment.release import release
from firebreak.response.decision.blast_radius import take_slots
from firebreak.response.respond import ask_scc_again, end, proceed, resume
from firebreak.response.set_aside import LOOK_AGAIN_NS, look_again, set_aside
from firebreak.response.triggers.drift import look_at
from firebreak.response.triggers.question import MOST_ESCALATIONS, ask_anew
from firebreak.response.triggers.review import review_due

MOST = 200
"""Of each kind of work, at most so much in one sweep; what is left comes first in the next."""


class Tally(Counter[str]):
    """How many of each kind of thing a sweep did. `refused` says what it could not deal with, and why.

    `later` is what somebody else is at work on, or could not be reached, or had no time left: the next sweep comes
    back to it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.later: list[str] = []


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
    for document in list(app.ledger.documents.due("incident", app.now_ns(), MOST)):
        if deadline.passed:
            out_of_time(counts, f"incident {document.key}")
            return
        isolated(app, counts, f"incident {document.key}", lambda key=document.key: carry_on(key))  # type: ignore[misc]


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


def carry_on(app: App, held: StoredIncident, deadline: Deadline) -> tuple[StoredIncident, str | None]:
    """Go on with one incident that is due: what was left unfinished, what expired, what is to be reviewed."""
    incident = held.incident
    if incident.release is not None:
        return release(app, held, incident.release.by, deadline), "releases carried on"
    if incident.phase == "received":
        return proceed(app, held, Notification(incident.finding, deleted=False), deadline), "decided"
    if incident.phase in ("containing", "verifying"):
        return resume(app, held, deadline), "containments carried on"
    if incident.next_ns is None or incident.next_ns > app.now_ns():
        return held, None
    return _WHEN_DUE.get(incident.phase, _reviewed)(app, held, deadline)


def _expired(app: App, held: StoredIncident, deadline: Deadline) -> tuple[StoredIncident, str]:
    """An unanswered question: contained where the policy says so and may, else put again, else closed."""
    incident, policy = held.incident, policy_of(app, held.incident)
    times = incident.question.escalated if incident.question else 0
    if policy is None:
        gone = "nobody answered, and the policy that asked does not exist any more"
        return end(app, held, "expired", gone), "expired"
    if policy.on_expiry == "contain" and _may_contain(app, incident, deadline):
        decided = replace(incident, phase="containing", question=None, next_ns=None)
        told = decided.with_history(
            app.now_ns(), "firebreak", "nobody answered in time; the policy says to contain then"
        )
        return contain(app, app.ledger.save(held, told), policy, deadline), "contained unanswered"
    if times < MOST_ESCALATIONS:
        why = f"nobody answered in time; asked again, {times + 1} of {MOST_ESCALATIONS}"
        return ask_anew(app, held, policy, why, deadline, times + 1), "asked again"
    closed = f"nobody answered {MOST_ESCALATIONS + 1} times; approving it later draws the plan anew"
    return end(app, held, "expired", closed), "expired"


def _may_contain(app: App, incident: Incident, deadline: Deadline) -> bool:
    """Only where nothing but the policy's own mode asked: no guard, no missing answer, and a slot is left."""
    decision = incident.decision
    if decision is None or incident.plan is None or isinstance(incident.finding.target, NotATarget):
        return False
    own = decision.wanted is Mode.APPROVE and decision.mode is Mode.APPROVE and not decision.caps
    unknown = any(clause.get("value") is None for one in decision.trace for clause in one.get("clauses", ()))
    if not own or unknown or not incident.plan.writes or holds(app, incident):
        return False
    return not take_slots(app, incident.id, incident.plan, deadline)


def _reviewed(app: App, held: StoredIncident, deadline: Deadline) -> tuple[StoredIncident, str | None]:
    try:
        stands = held_targets(app, held.incident)
    except NotActedOn:
        app.ledger.save(held, replace(held.incident, next_ns=review_ns(app, held.incident)))
        raise
    if not stands:
        return app.ledger.save(held, resting(app, held.incident, held.incident.phase)), None
    held = review_due(app, held, stands[0][1], deadline)
    return held, "released" if held.incident.phase == "released" else "reviewed"


_WHEN_DUE: Mapping[Phase, Callable[[App, StoredIncident, Deadline], tuple[StoredIncident, str | None]]] = (
    MappingProxyType({"waiting": _expired, "monitored": ask_scc_again})
)
