"""A containment that still stands is announced again, or, where the policy says so and SCC has settled it, released."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.restoration import kept_shut
from firebreak.core.containment.review import age, drift_on, review_sentence
from firebreak.core.errors import Missing, Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.incidents.still_open import lasting, opened
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import save_and_tell
from firebreak.response.app import App
from firebreak.response.draw_release import BY, CannotRelease
from firebreak.response.observe import see_target
from firebreak.response.readings import Readings
from firebreak.response.release import request_release

_RESTS: tuple[Phase, ...] = ("contained", "failed", "releasing")
"""Where only a review is due; in any other phase something else is waited for, and comes first."""


def announce_review(app: App, held: StoredIncident, by: str, deadline: Deadline, why: str = "") -> StoredIncident:
    """Look at what stands and announce it; raises Refused or Transient where nothing of it can be looked at."""
    incident, lines, open_ = held.incident, list[str](), list[str]()
    readings = Readings(app, incident, deadline)
    holds = app.ledger.held_targets(incident)
    looks = [(hold, _look(incident, target, readings)) for target, hold in holds]
    if looks and not any(seen.workload for _, seen in looks):
        first = looks[0][1]
        raise (Missing if first.gone else Transient if first.away else Refused)(first.fault)
    told = incident
    for hold, seen in looks:
        word = review_sentence(hold, seen.workload, app.now_ns()) if seen.workload else f"review: unread: {seen.fault}"
        lines.append(f"{incident.place_of(seen.target)}{word}")
        open_ += opened(incident, seen)
        if seen.standing and seen.workload:
            shut = kept_shut(seen.standing, seen.workload, app.actions)
            told = told.with_drift(seen.target.key, drift_on(seen.standing, seen.workload, shut))
    own = incident.finding.target
    if isinstance(own, Target) and lines and own.key not in {target.key for target, _ in holds}:
        open_ += opened(incident, _look(incident, own, readings))  # where an identity alone was changed
    told = told.with_history(app.now_ns(), by, "; ".join([*lines, *([why] if why else [])]))
    reviewed = replace(
        told,
        still_open=tuple(dict.fromkeys((*open_, *lasting(incident, app.actions)))),
        next_ns=app.review_ns(incident) if incident.phase in _RESTS else incident.next_ns,
    )
    return save_and_tell(app, held, reviewed)


def _look(incident: Incident, target: Target, readings: Readings) -> Seen:
    """One target as it is; one that cannot be reached keeps no other from being told of."""
    try:
        return see_target(incident, target, readings)
    except Transient as fault:
        return Seen(target, None, None, None, str(fault), away=True)


def review_due(app: App, held: StoredIncident, deadline: Deadline) -> StoredIncident:
    """A review that has come due: a release is asked for if the policy's `release_after` allows it, else announced."""
    incident, now = held.incident, app.now_ns()
    due = incident.next_ns is not None and incident.next_ns <= now
    if not due or incident.phase not in _RESTS:
        return held
    try:
        holds = app.ledger.held_targets(incident)
    except NotActedOn:
        app.ledger.save(held, replace(incident, next_ns=app.review_ns(incident)))
        raise
    if not holds:
        return app.ledger.save(held, replace(incident, next_ns=None))

    def announced(why: str = "") -> StoredIncident:
        if incident.closed_as and not incident.reopened:  # a person has said what it is, and that it stays
            return app.ledger.save(held, replace(incident, next_ns=app.review_ns(incident)))
        return announce_review(app, held, BY, deadline, why)

    policy, held_for = app.policy_of(incident), now - holds[0][1].taken_ns
    releases_after = policy.release_after if policy and app.ledger.stands(incident) else None
    if releases_after is None or held_for < releases_after * NANOS:
        return announced()
    readings = Readings(app, incident, deadline)
    told = incident.with_history(now, BY, f"the finding is INACTIVE, and {age(held_for)} are over: released")
    try:
        return request_release(app, replace(held, incident=told), BY, frozenset(), "", readings)
    except CannotRelease as fault:
        return announced(f"not released by itself: {fault}")
