"""The story: respond to a finding, answer for a person, sweep up what time and accidents leave behind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Notification, parse_notification
from firebreak.core.first_few import first_few
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import Unsent, count_refused, flush
from firebreak.response.app import App
from firebreak.response.evidence.collector import collect
from firebreak.response.respond import proceed
from firebreak.response.set_aside import claimed, not_due, set_aside
from firebreak.response.triggers import answers
from firebreak.response.triggers.answers import AnswerResult
from firebreak.response.triggers.execute import execute as result
from firebreak.response.triggers.missed import answer_missed
from firebreak.response.triggers.sweep import (
    Tally,
    carry_on,
    due_incidents,
    isolated,
    out_of_time,
    standing_targets,
    what_is_set_aside,
)

BUDGET_SECONDS = 100.0
_MOST_FORGOTTEN = 1000
_MOST_TOLD = 5


def respond(app: App, data: bytes, budget: float = BUDGET_SECONDS) -> StoredIncident:
    """Answer one Pub/Sub message within `budget` seconds.

    Raises Malformed for the dead-letter road, Transient for another delivery.
    """
    return answer(app, parse_notification(data), Deadline.after(budget))


def answer(app: App, notification: Notification, deadline: Deadline) -> StoredIncident:
    """Own the finding's incident, go on from where it stands, tell, and let it go; raises Transient."""
    app = as_one_worker(app)
    held = begun = claimed(app, notification.finding)
    try:
        held = proceed(app, begun, notification, deadline)
        held = collect(app, begun, held, notification, deadline)
        held = flush(app, held, deadline)
    except Transient:
        give_up_lease(app, held)
        raise
    return app.ledger.release_lease(held, held.incident) if held.incident.owner else held


def approve(app: App, incident_id: str, by: str, digest: str) -> AnswerResult | None:
    """Approve the question of that digest and contain; None if there is no such incident."""
    return _command(app, incident_id, lambda own, held, until: answers.approve(own, held, by, digest, until))


def reject(app: App, incident_id: str, by: str, reason: str, digest: str) -> AnswerResult | None:
    """Answer the question of that digest with no; None if there is no such incident."""
    return _command(app, incident_id, lambda own, held, _: answers.reject(own, held, by, reason, digest))


def release(app: App, incident_id: str, by: str) -> AnswerResult | None:
    """Take the incident's hold away and restore what it set; a person's release passes every guard."""
    return _command(app, incident_id, lambda own, held, until: answers.release(own, held, by, until))


def close(
    app: App, incident_id: str, by: str, closed_as: str, reason: str = "", digest: str = ""
) -> AnswerResult | None:
    """End an incident with what it was found to be; None if there is no such incident.

    Where a person was asked about it, the digest is of the question that was seen.
    """
    return _command(app, incident_id, lambda own, held, _: answers.close(own, held, by, closed_as, reason, digest))


def review(app: App, incident_id: str, by: str) -> AnswerResult | None:
    """Look at what stands now, and announce it again; None if there is no such incident."""
    return _command(app, incident_id, lambda own, held, until: answers.review(own, held, by, until))


def execute(app: App, command: Command) -> CommandResult:
    """Carry out one command, once; raises Transient for another delivery."""
    return result(app, command, lambda: _carried_out(app, command))


def _carried_out(app: App, command: Command) -> CommandResult:
    identity, by = command.incident, command.by
    verbs: Mapping[str, Callable[[], AnswerResult | None]] = {
        "approve": lambda: approve(app, identity, by, command.digest),
        "reject": lambda: reject(app, identity, by, command.reason, command.digest),
        "release": lambda: release(app, identity, by),
        "review": lambda: review(app, identity, by),
        "close": lambda: close(app, identity, by, command.closed_as, command.reason, command.digest),
    }
    if command.verb == "sweep":
        swept = sweep(app)
        return CommandResult(done=not (swept.refused or swept.later), says=str(swept), unreached=bool(swept.later))
    if command.verb in ("halt", "resume"):
        return app.ledger.halts.obey(command)
    try:
        answered = verbs[command.verb]()
    except Refused as fault:
        return CommandResult(done=False, says=str(fault), incident=identity)
    if answered is None:
        return CommandResult(done=False, says=f"there is no incident {identity}")
    return CommandResult(answered.done, answered.says, identity)


def _command(
    app: App, incident_id: str, act: Callable[[App, StoredIncident, Deadline], AnswerResult]
) -> AnswerResult | None:
    """Own the incident, act, tell, and let it go; raises Transient while somebody else works on it."""
    app = as_one_worker(app)
    deadline = Deadline.after(BUDGET_SECONDS)
    try:
        held = app.ledger.take(incident_id)
    except NotActedOn as fault:
        set_aside(app, fault)
        raise
    if held is None:
        return None
    try:
        answered = act(app, held, deadline)
        held = _flushed(app, answered.held, deadline)
    except Exception:
        give_up_lease(app, held)
        raise
    return replace(answered, held=app.ledger.release_lease(held, held.incident))


def _flushed(app: App, held: StoredIncident, deadline: Deadline) -> StoredIncident:
    """What was asked for is done and saved; what cannot be announced now is announced by the sweep."""
    try:
        return flush(app, held, deadline)
    except Unsent as fault:
        app.log("WARNING", f"to be announced by the sweep: {fault}", incident=held.incident.id)
        return app.ledger.read(held.incident.id) or held


def as_one_worker(app: App) -> App:
    """A token of its own for each message and command: threads of one process are as strange to each other as any."""
    return replace(app, ledger=replace(app.ledger, owner=uuid.uuid4().hex))


def give_up_lease(app: App, held: StoredIncident) -> None:
    """Let the next delivery go on at once; if even that cannot be saved, the lease runs out by itself."""
    try:
        latest = app.ledger.read(held.incident.id)
        if latest is not None and latest.incident.owner == app.ledger.owner:
            app.ledger.release_lease(latest, latest.incident)
    except Transient:
        app.log("WARNING", "the lease could not be given up; it runs out by itself", incident=held.incident.id)


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


def sweep(app: App, budget: float = BUDGET_SECONDS) -> Swept:
    """Carry on what was left, ask again what expired, look at all that stands, answer what was missed; what it did."""
    deadline = Deadline.after(budget)
    counts = Tally()
    due_incidents(app, counts, lambda key: _carry_on(app, counts, key, deadline), deadline)
    standing_targets(as_one_worker(app), counts, deadline)
    what_is_set_aside(app, counts, deadline)
    isolated(app, counts, "the findings of SCC", lambda: _answer_missed(app, counts, deadline))
    isolated(app, counts, "what has expired", lambda: _forget(app, counts))
    done = {what: number for what, number in counts.items() if number}
    swept = Swept(done, tuple(counts.refused), tuple(counts.later))
    # An alert counts this very message: nothing may be added to it.
    app.log("NOTICE", "the sweep is done", sweep=done, refused=swept.refused, later=swept.later)
    return swept


def _carry_on(app: App, counts: Tally, incident_id: str, deadline: Deadline) -> str | None:
    """Own one incident that is due, go on with it, tell, and let it go."""
    app = as_one_worker(app)
    try:
        held = app.ledger.take(incident_id)
    except NotActedOn as fault:
        not_due(app, fault)
        raise
    if held is None:
        return None
    unsent = held.incident.unsent
    try:
        held, done = carry_on(app, held, deadline)
        held = flush(app, held, deadline)
        held, refused = count_refused(app, held)
    except Exception:
        give_up_lease(app, held)
        raise
    counts["announcements refused"] += len(refused)
    counts.refused += refused
    app.ledger.release_lease(held, held.incident)
    return done or ("announcements sent" if unsent > held.incident.unsent + len(refused) else None)


def _answer_missed(app: App, counts: Tally, deadline: Deadline) -> None:
    def one(notification: Notification) -> None:
        name = notification.finding.name
        what = f"finding {name.source}/{name.finding}"
        isolated(app, counts, what, lambda: answer(app, notification, deadline).incident.phase)

    answered, all_of_them = answer_missed(app, one, deadline)
    counts["missed findings answered"] += answered
    if not all_of_them:
        out_of_time(counts, "the next of the findings of SCC")


def _forget(app: App, counts: Tally) -> None:
    counts["records forgotten"] += app.ledger.documents.forget(app.now_ns(), _MOST_FORGOTTEN)
