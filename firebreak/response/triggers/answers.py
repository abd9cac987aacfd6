"""What a person's word does to an incident: approve, reject, release, close, review. The first answer wins."""

from __future__ import annotations

from dataclasses import dataclass, replace

from firebreak.core.errors import Refused
from firebreak.core.incidents.incident import Answer, Incident, Question
from firebreak.core.incidents.phase import ENDED, Phase
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.containment.contain import contain
from firebreak.response.containment.holds import holds, policy_of, resting
from firebreak.response.containment.release import CannotRelease
from firebreak.response.containment.release import release as restore
from firebreak.response.set_aside import set_aside
from firebreak.response.triggers.question import ask_anew
from firebreak.response.triggers.review import announce_review

_RELEASABLE: frozenset[Phase] = frozenset({"contained", "failed", "containing", "verifying"})


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """What became of a person's command: done or not, and a sentence that says so."""

    done: bool
    says: str
    held: StoredIncident


def approve(app: App, held: StoredIncident, by: str, digest: str, deadline: Deadline) -> AnswerResult:
    """Approve the open question's digest and contain; asked again where it has expired or drifted."""
    incident, now = held.incident, app.now_ns()
    question, policy = incident.question, policy_of(app, incident)
    if _approved_before(incident, by, digest):
        return _went_on(app, held, deadline)
    against = _not_approvable(incident, digest)
    if against or question is None or policy is None:
        says = against or "the policy that asked does not exist any more"
        return AnswerResult(done=False, says=says, held=held)
    if late := _too_late(incident, now):
        held = ask_anew(app, held, policy, f"{late} when {by} approved", deadline)
        return AnswerResult(done=False, says=f"{late}; it is asked again on a fresh look", held=held)
    if _empty(incident):
        held = ask_anew(app, held, policy, f"drawn anew when {by} approved a question without a plan", deadline)
        return AnswerResult(done=False, says=_drawn_anew(held.incident), held=held)
    if why := _not_believed(app, incident):
        return AnswerResult(
            done=False, says=f"{why}. The question stays: approve it again once that is cleared", held=held
        )
    answer = Answer(question.digest, by, now, question.cautions)
    answered = replace(incident, phase="containing", answer=answer, next_ns=None)
    held = app.ledger.save(held, answered.with_history(now, by, f"approved {question.digest[:12]}"))
    return _contained(contain(app, held, policy, deadline))


def _not_approvable(incident: Incident, digest: str) -> str:
    """Why there is nothing to approve; empty if there is."""
    if incident.question is None or incident.phase not in ("waiting", "expired"):
        return f"nothing is asked: {_stands(incident)}"
    return _unseen(incident.question, digest)


def _unseen(question: Question | None, digest: str) -> str:
    """Why this answers no question that was seen; empty if it does, or if nothing was ever asked."""
    if question is None:
        return ""
    if not digest:
        return (
            "nothing was changed: the answer names no question; look with `firebreak incident show ID`, and answer "
            "with the digest of what it shows"
        )
    if not question.digest.startswith(digest):
        return f"nothing was changed: the question is about {question.digest[:12]}, not {digest[:12]}"
    return ""


def _not_believed(app: App, incident: Incident) -> str:
    """Why what stands on a target of the plan is not to be written over; empty if it may be."""
    for target in incident.plan.targets if incident.plan else ():
        try:
            app.ledger.standing(target)
        except NotActedOn as fault:
            set_aside(app, fault)
            return str(fault)
    return ""


def _too_late(incident: Incident, now_ns: int) -> str:
    """Why an approval comes too late for what was shown; empty if it does not."""
    if incident.phase == "expired":
        return "the question was closed unanswered"
    expired = incident.question is not None and now_ns >= incident.question.expires_ns
    return "the question had expired" if expired else ""


def _empty(incident: Incident) -> bool:
    """Whether the question shows no change: there was nothing that could be drawn when it was put."""
    return incident.plan is None or not incident.plan.changes


def _drawn_anew(incident: Incident) -> str:
    if _empty(incident):
        return "the question carries no change, and none can be drawn now either: look at the workload and act by hand"
    return "the question carried no change; a plan could be drawn now and is asked about: look, and approve it"


def _approved_before(incident: Incident, by: str, digest: str) -> bool:
    """Whether this is the same approval once more, delivered again after its first bearer died."""
    answer = incident.answer
    return answer is not None and answer.by == by and bool(digest) and answer.digest.startswith(digest)


def _went_on(app: App, held: StoredIncident, deadline: Deadline) -> AnswerResult:
    policy = policy_of(app, held.incident)
    if held.incident.phase in ("containing", "verifying") and policy is not None:
        held = contain(app, held, policy, deadline)
    return _contained(held)


def _contained(held: StoredIncident) -> AnswerResult:
    return AnswerResult(held.incident.phase == "contained", held.incident.history[-1].what, held)


def _stands(incident: Incident) -> str:
    """How it stands, and who last spoke a word on it."""
    person = next((one for one in reversed(incident.history) if one.who != "firebreak"), None)
    return f"the incident is {incident.phase}" + (f" ({person.who}: {person.what})" if person else "")


def _said(incident: Incident, by: str, what: str) -> bool:
    return any(one.who == by and one.what == what for one in incident.history)


def reject(app: App, held: StoredIncident, by: str, reason: str, digest: str) -> AnswerResult:
    """Answer the open question with no; what this incident holds already stays as it is."""
    incident, word = held.incident, f"rejected: {reason}" if reason else "rejected"
    if incident.phase == "rejected" and _said(incident, by, word):
        return AnswerResult(done=True, says="rejected", held=held)
    if incident.phase != "waiting":
        return AnswerResult(done=False, says=f"nothing is asked: {_stands(incident)}", held=held)
    if unseen := _unseen(incident.question, digest):
        return AnswerResult(done=False, says=unseen, held=held)
    rested = resting(app, incident.with_history(app.now_ns(), by, word), "rejected")
    says = "rejected" if rested.phase == "rejected" else "rejected; what was contained before still stands"
    return AnswerResult(done=True, says=says, held=app.ledger.save(held, rested.with_announcements(channels(app))))


def release(app: App, held: StoredIncident, by: str, deadline: Deadline) -> AnswerResult:
    """Take the incident's hold away and restore what it set; a person's release passes every guard."""
    incident = held.incident
    if incident.phase == "released" and _said(incident, by, "released"):
        return AnswerResult(done=False, says="nothing is contained: the incident is released already", held=held)
    if incident.phase not in _RELEASABLE and incident.release is None and not holds(app, incident):
        return AnswerResult(done=False, says=f"nothing is contained: {_stands(incident)}", held=held)
    return AnswerResult(done=True, says="released", held=restore(app, held, by, deadline))


def _closed(closed_as: str) -> str:
    return f"closed as {closed_as.replace('_', ' ')}" if closed_as else "closed"


def close(app: App, held: StoredIncident, by: str, closed_as: str, reason: str, digest: str) -> AnswerResult:
    """End an incident with what it was found to be; what stands has to be released first."""
    incident = held.incident
    if incident.phase == "closed":
        same = closed_as in ("", incident.closed_as)
        return AnswerResult(done=same, says=f"{_closed(incident.closed_as)} already", held=held)
    if holds(app, incident) or incident.release is not None:
        says = f"its containment still stands: firebreak incident release {incident.id} comes first"
        return AnswerResult(done=False, says=says, held=held)
    if incident.phase not in ENDED | {"waiting", "failed", "contained"}:
        says = f"somebody is at work on it: the incident is {incident.phase}; try again in a moment"
        return AnswerResult(done=False, says=says, held=held)
    if unseen := _unseen(incident.question, digest):
        return AnswerResult(done=False, says=unseen, held=held)
    why = f": {reason}" if reason else ""
    closed = replace(incident, phase="closed", closed_as=closed_as, next_ns=None)
    told = closed.with_history(app.now_ns(), by, f"{_closed(closed_as)}{why}")
    return AnswerResult(
        done=True, says=told.history[-1].what, held=app.ledger.save(held, told.with_announcements(channels(app)))
    )


def review(app: App, held: StoredIncident, by: str, deadline: Deadline) -> AnswerResult:
    """Look at what stands now, and announce it again with its age."""
    if not holds(app, held.incident):
        return AnswerResult(done=False, says=f"nothing is contained: {_stands(held.incident)}", held=held)
    try:
        held = announce_review(app, held, by, deadline)
    except CannotRelease:
        raise
    except Refused as fault:
        return AnswerResult(done=False, says=f"it could not be looked at: {fault}", held=held)
    return AnswerResult(done=True, says=held.incident.history[-1].what, held=held)
