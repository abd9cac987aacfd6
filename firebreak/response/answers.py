"""What a person's word adds to an incident: an answer, a release, a retry, an end. The loop does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from firebreak.core.errors import Transient
from firebreak.core.incidents.command import Command
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.next_steps import halted
from firebreak.core.incidents.phase import ENDED, WORKING, Phase
from firebreak.core.incidents.question import Answer
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.advance import advance, next_step
from firebreak.response.announce import save_and_tell
from firebreak.response.app import App
from firebreak.response.carry import ask_about_events
from firebreak.response.evidence.collector import Collecting
from firebreak.response.readings import Readings, impatient
from firebreak.response.release import RELEASES, request_release
from firebreak.response.rest import end, without_unwritten
from firebreak.response.review import announce_review
from firebreak.response.set_aside import ALL, give_up_unknown

_RETRIES = "asked to decide it anew"
_NO_CHANGE = "the question carries no change, and none can be drawn now: look at the workload and act by hand"
_OVER: frozenset[Phase] = frozenset({"released", "closed"})


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a person's command: done or not, and a sentence that says so."""

    done: bool
    says: str
    held: StoredIncident


@dataclass(frozen=True, slots=True)
class _Turn:
    """One command on one incident that is ours."""

    app: App
    command: Command
    collecting: Collecting
    deadline: Deadline

    def advance(self, held: StoredIncident) -> StoredIncident:
        """Carry the incident on until it rests."""
        return advance(self.app, held, self.collecting, self.deadline)

    def brought_up(self, held: StoredIncident) -> StoredIncident:
        """The incident once the events that came, and what expired, are decided: before any answer is carried out."""
        due = next_step(held.incident, self.app.now_ns()) == "decide"
        return self.advance(held) if due else held

    def no(self, held: StoredIncident, says: str) -> Answered:
        """It is not done."""
        return Answered(done=False, says=says, held=held)

    def told(self, incident: Incident, what: str) -> Incident:
        """With a line in the person's name."""
        return incident.with_history(self.app.now_ns(), self.command.by, what)


def answer(app: App, held: StoredIncident, command: Command, collecting: Collecting, deadline: Deadline) -> Answered:
    """Do what the command says to this incident; raises Refused, or Transient to be told again."""
    return _VERBS[command.verb](_Turn(app, command, collecting, deadline), held)


def _approve(turn: _Turn, held: StoredIncident) -> Answered:
    if _approved_before(held.incident, by := turn.command.by, turn.command.digest):
        return _came_to(turn.advance(held))
    held = turn.brought_up(held)
    if held.incident.phase == "expired" or (held.incident.phase == "waiting" and _empty(held.incident)):
        if unseen := _unseen(held.incident, turn.command):
            return turn.no(held, unseen)
        # What was shown is old, or was nothing: it is drawn anew, and an equal question is answered by this.
        why = "late" if held.incident.phase == "expired" else "without a plan"
        anew = turn.told(replace(held.incident, phase="received", answer=None), f"approved {why}: it is decided anew")
        held = turn.advance(turn.app.ledger.save(held, anew))
        if held.incident.phase != "waiting":
            return _came_to(held)
    incident, question = held.incident, held.incident.question
    if question is None or incident.phase != "waiting":
        return turn.no(held, f"nothing is asked: {_stands(incident)}")
    if why := _unseen(incident, turn.command) or (_NO_CHANGE if _empty(incident) else ""):
        return turn.no(held, why)
    # Decided on what is so now: where that comes to the same question the answer stands, else it is put anew.
    incident = incident.with_answered_events()
    answered = replace(
        incident,
        phase="containing" if incident.begun else "received",
        events=tuple(replace(one, status="counts") if one.id in question.events else one for one in incident.events),
        answer=Answer(question.digest, by, turn.app.now_ns(), question.cautions, question.shown),
        next_ns=None,
    )
    held = turn.app.ledger.save(held, turn.told(answered, f"approved {question.digest[:12]}"))
    return _came_to(turn.advance(held))


def _approved_before(incident: Incident, by: str, digest: str) -> bool:
    """Whether this is the same approval once more, delivered again after its first bearer died."""
    given = incident.answer if incident.phase in (*WORKING, "contained") else None
    return given is not None and given.by == by and bool(digest) and given.digest.startswith(digest)


def _came_to(held: StoredIncident) -> Answered:
    return Answered(held.incident.phase == "contained", held.incident.history[-1].what, held)


def _carried_out(incident: Incident, command: Command, *begins: str) -> bool:
    """Whether what the command asks was done since it was sent, for the same person: its first bearer died."""
    sent = command.sent_ns
    mine = (one for one in incident.history if one.who == command.by and sent is not None and one.at_ns >= sent)
    return any(one.what.startswith(begins) for one in mine)


def _unseen(incident: Incident, command: Command) -> str:
    """Why this answers no question that was seen; empty if it does, or if nothing was ever asked."""
    question, digest = incident.question, command.digest
    if question is None:
        return ""
    if not digest:
        return (
            "nothing was changed: the answer names no question; look with `firebreak incident show ID`, and answer "
            "with the digest of what it shows"
        )
    if not question.digest.startswith(digest):
        return f"nothing was changed: the question is about {question.digest[:12]}, not {digest[:12]}"
    sent = question.asked_ns if command.sent_ns is None else command.sent_ns
    others = (one for one in incident.history if one.who not in ("firebreak", command.by) and one.at_ns > sent)
    if question.asked_ns > sent and (since := next(others, None)):
        return f"nothing was changed: it was put anew since the answer was sent ({since.who}: {since.what})"
    return ""


def _empty(incident: Incident) -> bool:
    """Whether the question shows no change: there was nothing that could be drawn when it was put."""
    return incident.plan is None or not incident.plan.changes


def _stands(incident: Incident) -> str:
    """How it stands, and who last spoke a word on it."""
    person = next((one for one in reversed(incident.history) if one.who != "firebreak"), None)
    return f"the incident is {incident.phase}" + (f" (last, by {person.who}: {person.what})" if person else "")


def _reject(turn: _Turn, held: StoredIncident) -> Answered:
    command = turn.command
    word = f"rejected: {command.reason}" if command.reason else "rejected"
    if _carried_out(held.incident, command, word):
        return Answered(done=True, says="rejected", held=held)
    held = turn.brought_up(held)
    if held.incident.phase != "waiting":
        return turn.no(held, f"nothing is asked: {_stands(held.incident)}")
    if unseen := _unseen(held.incident, command):
        return turn.no(held, unseen)
    held = replace(held, incident=held.incident.with_answered_events())
    over = replace(held, incident=turn.told(replace(held.incident, phase="rejected"), word))
    after = ask_about_events(turn.app, over, impatient(turn.app, held.incident, turn.deadline))
    if after is not over:
        return Answered(done=True, says="rejected; what only a message names is asked about now", held=after)
    held = end(turn.app, held, "rejected", word, who=command.by)
    stays = "" if held.incident.phase == "rejected" else "; what was contained before still stands"
    return Answered(done=True, says=f"rejected{stays}", held=held)


def _release(turn: _Turn, held: StoredIncident) -> Answered:
    command, before, closed = turn.command, len(held.incident.history), held.incident.answer
    sent_before = closed and closed.by and closed.at_ns > (command.sent_ns or closed.at_ns)
    if closed and sent_before and not held.incident.releasing:
        return turn.no(held, f"nothing was changed: {closed.by} had it contained since this was sent; look again")
    leave = frozenset(filter(None, command.leave.splitlines()))
    if ALL in leave and held.sealed:
        held = give_up_unknown(turn.app, held, command.by)
    incident, given_up = held.incident, len(held.incident.history) > before
    holds = turn.app.ledger.held_targets(incident)
    if incident.phase == "released" or not (holds or incident.releasing or incident.done):
        if given_up or (incident.phase == "released" and _carried_out(incident, command, RELEASES)):
            return Answered(done=True, says=incident.history[-1].what, held=held)
        already = "nothing is contained: the incident is released already"
        return turn.no(held, already if incident.phase == "released" else f"nothing is contained: {_stands(incident)}")
    if leave or not (incident.releasing and _carried_out(incident, command, RELEASES)):
        readings = Readings(turn.app, incident, turn.deadline)
        held = request_release(turn.app, held, command.by, leave, command.digest, readings)
    held = turn.advance(held)
    release, history = held.incident.release, held.incident.history
    says = next((one.what for one in reversed(history) if one.who == command.by), history[-1].what)
    return Answered(release is not None and release.over, says, held)


def _retry(turn: _Turn, held: StoredIncident) -> Answered:
    incident = held.incident
    if incident.phase in _OVER:
        return turn.no(held, f"nothing is decided anew: {_stands(incident)}")
    if not _carried_out(incident, turn.command, _RETRIES):
        why = f": {turn.command.reason}" if turn.command.reason else ""
        anew = replace(incident, phase="received", answer=None, away={}, operation=None)
        held = turn.app.ledger.save(held, turn.told(anew, f"{_RETRIES}{why}"))
    held = turn.advance(held)
    return Answered(done=not halted(held.incident), says=held.incident.history[-1].what, held=held)


def _close(turn: _Turn, held: StoredIncident) -> Answered:
    if held.incident.undecided and held.incident.phase not in WORKING:
        held = turn.advance(held)
    return _file(turn, held) if turn.command.keep else _end(turn, held)


def _end(turn: _Turn, held: StoredIncident) -> Answered:
    """Close what nothing stands of."""
    incident, command = held.incident, turn.command
    word = f"closed as {command.closed_as.replace('_', ' ')}" if command.closed_as else "closed"
    if incident.phase == "closed":
        return _corrected(turn, held)
    if incident.phase not in ENDED | {"waiting", "failed", "contained", "deferred", "releasing"}:
        return turn.no(held, f"somebody is at work on it: the incident is {incident.phase}; try again in a moment")
    held, stays = _let_go(turn, held)
    if stays:
        return turn.no(held, stays)
    if unseen := _unseen(incident, command):
        return turn.no(held, unseen)
    if incident.waits and incident.question and {*incident.counting} - {*incident.question.events}:
        return turn.no(held, f"an event came since that nobody was asked about yet, and waits: {incident.waits.reason}")
    found = command.closed_as or incident.closed_as  # what it was filed as while its containment stood
    closed = replace(held.incident, phase="closed", closed_as=found, waits=None, answer=None, next_ns=None)
    told = turn.told(closed, f"{word}: {command.reason}" if command.reason else word)
    held = save_and_tell(turn.app, held, told)
    return Answered(done=True, says=told.history[-1].what, held=held)


def _corrected(turn: _Turn, held: StoredIncident) -> Answered:
    """What it was closed as, said anew for a reason; an order from before that it was closed corrects nothing."""
    incident, command = held.incident, turn.command
    was, now = (one.replace("_", " ") for one in (incident.closed_as, command.closed_as))
    already = f"closed as {was} already" if was else "closed already"
    same = command.closed_as in ("", incident.closed_as)
    if same or (command.sent_ns is not None and command.sent_ns < incident.history[-1].at_ns):
        return Answered(done=same, says=already, held=held)
    if not command.reason:
        return turn.no(held, f"{already}: if that was a slip, say so with --reason WHY")
    says = f"closed as {now}{f', not {was}' if was else ''}: {command.reason}"
    held = save_and_tell(turn.app, held, turn.told(replace(incident, closed_as=command.closed_as), says))
    return Answered(done=True, says=says, held=held)


def _let_go(turn: _Turn, held: StoredIncident) -> tuple[StoredIncident, str]:
    """Without the holds of which nothing was written; why others keep it from being closed, or empty."""
    try:
        held = without_unwritten(turn.app, held, Readings(turn.app, held.incident, turn.deadline))
    except Transient as fault:
        return held, f"it is not closed yet: {fault}; firebreak incident release {held.incident.id} takes it back"
    stands = turn.app.ledger.holds_any(held.incident) or held.incident.releasing
    first = f"its containment still stands: firebreak incident release {held.incident.id} comes first"
    return held, first if stands else ""


def _file(turn: _Turn, held: StoredIncident) -> Answered:
    """Say what it was while its containment stands: that stays as it is, and so does the incident."""
    incident, word = held.incident, "filed as true positive; its containment stays"
    if incident.phase != "contained" or not turn.app.ledger.stands(incident):
        return turn.no(held, f"there is no containment to keep: {_stands(incident)}")
    if unseen := _unseen(incident, turn.command):
        return turn.no(held, unseen)
    if incident.closed_as == "true_positive":
        return Answered(done=True, says=f"{word} already", held=held)
    why = f": {turn.command.reason}" if turn.command.reason else ""
    told = turn.told(replace(incident, closed_as="true_positive"), f"{word}{why}")
    held = save_and_tell(turn.app, held, told)
    return Answered(done=True, says=told.history[-1].what, held=held)


def _review(turn: _Turn, held: StoredIncident) -> Answered:
    if not turn.app.ledger.stands(held.incident):
        return turn.no(held, f"nothing is contained: {_stands(held.incident)}")
    told = (f"{held.incident.place_of(one)}review: " for one in held.incident.targets)
    if not _carried_out(held.incident, turn.command, *told):
        held = announce_review(turn.app, held, turn.command.by, turn.deadline)
    return Answered(done=True, says=held.incident.history[-1].what, held=held)


_VERBS: Mapping[str, Callable[[_Turn, StoredIncident], Answered]] = MappingProxyType(
    {
        "approve": _approve,
        "reject": _reject,
        "release": _release,
        "retry": _retry,
        "close": _close,
        "review": _review,
    }
)
