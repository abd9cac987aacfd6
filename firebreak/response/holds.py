"""What of an incident stands, and for how long yet without a word."""

from __future__ import annotations

from contextlib import suppress

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.review import Drift
from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Policy
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Document
from firebreak.ledger.records import NotActedOn
from firebreak.response.app import App

_REVIEW_SECONDS = 4 * 3600


def held_targets(app: App, incident: Incident) -> tuple[tuple[Target, Hold], ...]:
    """Every target on which this incident has a hold, the finding's own first; raises NotActedOn."""
    return tuple(
        (target, hold)
        for target in incident.targets
        for hold in standing_of(app, incident, target)[0].holds
        if hold.incident == incident.id
    )


def standing_of(app: App, incident: Incident, target: Target) -> tuple[Standing, Document | None]:
    """What stands on a target of the incident, under whichever name of its project; raises NotActedOn."""
    own = incident.finding.target
    uid = incident.uid if isinstance(own, Target) and own.key == target.key else incident.uids.get(target.key, "")
    return app.ledger.standing(target, uid)


def stands(app: App, incident: Incident) -> bool:
    """Whether a containment of this incident is in effect anywhere; where that cannot be told, it is taken to be."""
    try:
        return any(standing_of(app, incident, one)[0].in_effect(incident.id) for one in incident.targets)
    except NotActedOn:
        return incident.done is not None


def holds_any(app: App, incident: Incident) -> bool:
    """Whether this incident has a hold anywhere, of something that may be in effect or not; in doubt it has."""
    try:
        return bool(held_targets(app, incident))
    except NotActedOn:
        return incident.done is not None


def note_drift(app: App, standing: Standing, teller: str, drift: Drift | None) -> None:
    """Put it on the other incidents that hold the target too, for programs alone: `teller` tells people of it."""
    topic = ("topic",) if app.settings.incidents_topic is not None else ()
    others = [one.incident for one in standing.holds if one.incident != teller] if drift or standing.drift else []
    for other in others:
        with suppress(NotActedOn, Transient):  # whoever is at work on it looks for itself
            held = app.ledger.take(other)
            if held and standing.place:
                noted = held.incident.with_drift(standing.place.key, drift).with_announcements(topic)
                app.ledger.release_lease(held, noted)


def policy_of(app: App, incident: Incident) -> Policy | None:
    """The policy that decided the incident, as it stands now; None if it decides no more."""
    decision = incident.decision
    return next((one for one in app.policies.deciding if decision and one.id == decision.policy), None)


def review_ns(app: App, incident: Incident) -> int:
    """When what stands is to be announced again."""
    policy = policy_of(app, incident)
    return app.now_ns() + (policy.review_after if policy else _REVIEW_SECONDS) * NANOS
