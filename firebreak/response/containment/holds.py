"""Where an incident comes to rest: in the phase that its last step gave it, unless something of it still stands."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Hold
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import ENDED, Phase
from firebreak.core.policy.policy import Policy
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import NotActedOn
from firebreak.response.app import App

_REVIEW_SECONDS = 4 * 3600


def holds(app: App, incident: Incident) -> bool:
    """Whether a containment of this incident stands anywhere; where that cannot be told, it is taken to stand."""
    try:
        return bool(held_targets(app, incident))
    except NotActedOn:
        return incident.done is not None


def held_targets(app: App, incident: Incident) -> tuple[tuple[Target, Hold], ...]:
    """Every target on which this incident stands, the finding's own first; raises NotActedOn."""
    return tuple(
        (target, hold)
        for target in incident.targets
        for hold in app.ledger.standing(target)[0].holds
        if hold.incident == incident.id
    )


def policy_of(app: App, incident: Incident) -> Policy | None:
    """The policy that decided the incident, as it stands now; None if it is not there any more."""
    decision = incident.decision
    return next((one for one in app.policies.policies if decision and one.id == decision.policy), None)


def review_ns(app: App, incident: Incident) -> int:
    """When what stands is to be announced again."""
    policy = policy_of(app, incident)
    return app.now_ns() + (policy.review_after if policy else _REVIEW_SECONDS) * NANOS


def resting(app: App, incident: Incident, phase: Phase) -> Incident:
    """The incident in its last phase; one that holds its target stays `contained`, with the plan that stands there."""
    stands = holds(app, incident)
    due = review_ns(app, incident) if stands else incident.next_ns if phase == "monitored" else None
    if stands and phase in ENDED:
        plan = incident.done or incident.plan
        return replace(incident, phase="contained", plan=plan, question=None, operation=None, next_ns=due)
    return replace(incident, phase=phase, operation=None, next_ns=due)
