"""The fifth invariant: once everything answers again, every event that SCC confirms is decided."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.incidents.incident import Incident
from tests.model.clock import MINUTE, SECOND
from tests.model.history import Violated
from tests.model.policies import OWN_PROJECT, said_of
from tests.model.reference import ENDED, key_of, led_to, shut
from tests.model.scc import ALLOWED, ORGANIZATION, Event
from tests.model.stage import Stage

SWEEPS, PAUSE = 6, 11 * MINUTE / SECOND
_BETWEEN = frozenset({"received", "containing", "verifying", "deferred"})
_DELIVERIES = 3


def settle(stage: Stage) -> None:
    """Let everything that passes pass: faults, a halt, operations; deliver what waits, and sweep some times."""
    stage.back()
    stage.finish_operations()
    stage.deploy_policies("enforce")
    stage.keep_key()
    for _ in range(_DELIVERIES * len(stage.unanswered)):
        if stage.unanswered:
            stage.again()
            stage.wait(31)
    # Also where nobody has set a halt: somebody may have put an old one back.
    stage.command("resume")
    for _ in range(_DELIVERIES * len(stage.undelivered)):
        if stage.undelivered:
            stage.deliver()
            stage.wait(31)
    idle = 0
    for _ in range(SWEEPS):
        stage.sweep()
        idle = 0 if stage.history.saved else idle + 1
        if idle > 1:
            break
        stage.wait(PAUSE)
        stage.finish_operations()
    check_decided(stage)


def check_decided(stage: Stage) -> None:
    """Every event that SCC confirms is decided: nothing that passes ends one undecided."""
    for event in stage.held().values():
        if not _is_due(stage, event) or _tampered(stage, event):
            continue
        incidents = [one for one in stage.history.incidents if key_of(one) == event.key]
        if not incidents:
            message = f"finding {event.finding} has no incident"
            raise Violated(5, message)
        reasons = list(_undecided(stage, event, incidents))
        if len(reasons) == len(incidents):
            message = f"finding {event.finding} ({event.names or event.image}) is not decided: {'; '.join(reasons)}"
            raise Violated(5, message)


def _is_due(stage: Stage, event: Event) -> bool:
    """Whether policies want something of it, and there is something to contain."""
    said, resource = said_of(event.category, event.place), stage.look(event.place)
    ours = event.source == ALLOWED and event.organization == ORGANIZATION and not event.place.startswith(OWN_PROJECT)
    return event.wanted and ours and said is not None and said.mode != "monitor" and resource is not None


def _tampered(stage: Stage, event: Event) -> bool:
    """Whether somebody changed or deleted the record of an incident about it."""
    return any(one.finding == event.key for one in stage.history.tampered)


def _undecided(stage: Stage, event: Event, incidents: list[Incident]) -> Iterator[str]:
    """For each incident that does not account for the event, how it stands."""
    for one in incidents:
        suspects = frozenset(one.decision.suspects) if one.decision else frozenset[str]()
        named = not event.names or event.names in suspects
        if one.phase in _BETWEEN:
            yield f"{one.id} is {one.phase}"
        elif one.phase == "monitored" and stage.history.monitored_by_ceiling:
            continue
        elif one.phase in ENDED:
            if not _ended_knowing(stage, event, one, named=named):
                yield f"{one.id} ended {one.phase} before the event, or by what has passed"
        elif not named and _leads(stage, event):
            yield f"{one.id} is {one.phase}, and does not suspect {event.names}, which is still led to"
        elif one.phase == "contained" and event.names and _leads(stage, event) and not _reopened(stage, event, one):
            yield f"{one.id} is contained, and {event.names} is still led to"


def _ended_knowing(stage: Stage, event: Event, incident: Incident, *, named: bool) -> bool:
    """Whether the incident ended by a person's word, or for good, once the event was there."""
    since_ns = min(when for when, one in stage.ground.scc.history if one == event)
    ended_ns = incident.history[-1].at_ns if incident.history else incident.updated_ns
    if incident.phase in ("rejected", "released", "closed", "expired"):
        return named or ended_ns >= since_ns
    # Recorded only, or declined: by today's policies, and with all sources answering, it would not be.
    return incident.phase == "declined" and not _leads(stage, event)


def _leads(stage: Stage, event: Event) -> bool:
    """Whether what the event makes suspect can still be reached; of an image that nobody has, a person is asked."""
    resource = stage.look(event.place)
    if resource is None or shut(resource):
        return False
    if event.names:
        return event.names in led_to(resource)
    older = {one.name for one in resource.revisions if one.created_ns < event.at_ns}
    return bool(event.digests) or bool(led_to(resource) & older)


def _reopened(stage: Stage, event: Event, incident: Incident) -> bool:
    """Whether somebody has changed the workload since it was contained: that is told, and asked about elsewhere."""
    contained = [one.step for one in stage.history.looks[incident.id] if one.incident.phase == "contained"]
    return any(one.place == event.place and one.step >= contained[0] for one in stage.history.did)
