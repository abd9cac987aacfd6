"""A containment that still stands is announced again, or, where the policy says so and SCC has settled it, released."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.target import NotATarget
from firebreak.core.containment.active_containment import Hold
from firebreak.core.containment.guards import ceiling_caps, self_caps, source_bar
from firebreak.core.containment.review import age, review_sentence
from firebreak.core.errors import Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.containment.holds import held_targets, policy_of, review_ns
from firebreak.response.containment.release import CannotRelease, release
from firebreak.response.containment.verify import looked_around, opened
from firebreak.response.decision.confirm import held_by_scc
from firebreak.response.decision.look import look

BY = "firebreak"


def announce_review(app: App, held: StoredIncident, by: str, deadline: Deadline, why: str = "") -> StoredIncident:
    """Look at what stands and announce it; raises Refused or Transient where it cannot be looked at."""
    incident = held.incident
    holds = held_targets(app, incident)
    seen = [look(app, incident, target, deadline) for target, _ in holds]
    lines = [
        f"{incident.place_of(target)}{review_sentence(hold, one.workload, app.now_ns())}"
        for (target, hold), one in zip(holds, seen, strict=True)
    ]
    told = incident.with_history(app.now_ns(), by, "; ".join([*lines, *([why] if why else [])]))
    reviewed = replace(
        told,
        still_open=tuple(dict.fromkeys(line for one in seen for line in opened(incident, one))),
        reopened=tuple(sorted({name for one in seen for name in one.standing.suspects & one.workload.reachable})),
        next_ns=review_ns(app, incident),
    )
    return app.ledger.save(held, looked_around(app, reviewed, deadline).with_announcements(channels(app)))


def review_due(app: App, held: StoredIncident, hold: Hold, deadline: Deadline) -> StoredIncident:
    """A review that has come due: released if the policy's `release_after` allows it, else announced."""
    policy = policy_of(app, held.incident)
    held_for = app.now_ns() - hold.taken_ns
    if policy is None or policy.release_after is None or held_for < policy.release_after * NANOS:
        return announce_review(app, held, BY, deadline)
    if against := _against_release(app, held.incident, deadline):
        return announce_review(app, held, BY, deadline, f"not released by itself: {against}")
    told = held.incident.with_history(
        app.now_ns(), BY, f"the finding is INACTIVE, and {age(held_for)} are over: released"
    )
    held = app.ledger.save(held, told)
    try:
        return release(app, held, BY, deadline)
    except CannotRelease as fault:
        again = app.ledger.take(held.incident.id)
        return announce_review(app, again or held, BY, deadline, f"not released by itself: {fault}")


def _against_release(app: App, incident: Incident, deadline: Deadline) -> str | None:
    """What stands against a release that no person asks for; None if nothing does."""
    finding = incident.finding
    if isinstance(finding.target, NotATarget):
        return finding.target.reason
    caps = [*ceiling_caps(app.ceilings()), *source_bar(finding, app.policies.config)]
    caps += self_caps(finding.target, app.settings.own)
    if bars := [cap.reason for cap in caps if cap.kind == "bar"]:
        return bars[0]
    try:
        now = held_by_scc(app, finding, deadline)
    except (Transient, Refused) as fault:
        return f"SCC cannot be asked: {fault}"
    if now is None:
        return "SCC does not hold the finding any more"
    if now.mute == "MUTED":
        return "the finding is muted, which is not enough"
    return None if now.state == "INACTIVE" else "the finding is still active"
