"""What of an incident stands, and for how long yet without a word."""

from __future__ import annotations

from contextlib import suppress

from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.review import Drift
from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Policy
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import NotActedOn
from firebreak.response.app import App

_REVIEW_SECONDS = 4 * 3600


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
