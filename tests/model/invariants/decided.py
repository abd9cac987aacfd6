"""The fifth invariant: once everything answers again, every event that SCC confirms is decided."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.incidents.incident import Incident
from tests.model.clock import DAY, MINUTE, SECOND
from tests.model.cloud import Resource
from tests.model.history import Came, Did, Violated, Wrote
from tests.model.invariants.contained import moves_traffic, says_not_done
from tests.model.invariants.kinds_of_writes import releases_under_way
from tests.model.policies import OWN_PROJECT, said_of
from tests.model.reference import ENDED, carriers, key_of, led_to, shut, suspects_of
from tests.model.scc import ALLOWED, ORGANIZATION, Event
from tests.model.stage import Stage

SWEEPS, PAUSE = 6, 11 * MINUTE / SECOND
_BETWEEN = frozenset({"received", "containing", "verifying", "deferred"})
_BY_A_PERSON = frozenset({"rejected", "released", "closed", "expired"})
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
    for number in range(_DELIVERIES * len(stage.undelivered)):
        if stage.undelivered:
            stage.deliver(number)
            stage.wait(31)
    idle = 0
    for _ in range(SWEEPS):
        stage.sweep()
        idle = 0 if stage.history.saved else idle + 1
        if any(one.takes_back for one in stage.history.tampered):
            stage.command("resume")  # the vault knew better
        if idle > 1:
            break
        stage.wait(PAUSE)
        stage.finish_operations()
    check_decided(stage)
    check_passed_events(stage)


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
        named = not event.names or event.names in suspects_of(one)
        if one.phase in _BETWEEN:
            yield f"{one.id} is {one.phase}"
        elif one.phase == "monitored" and stage.history.ceiling_at(_ended_ns(one)) == "monitor":
            continue
        elif one.phase in ENDED:
            if not _ended_knowing(stage, event, one, named=named):
                yield f"{one.id} ended {one.phase} before the event, or by what has passed"
        elif _denied(one) or _asked_without(one):
            continue
        elif not named and _leads(event, stage.look(event.place)):
            yield f"{one.id} is {one.phase}, and does not suspect {event.names}, which is still led to"
        elif _contained_in_vain(stage, event, one):
            yield f"{one.id} is contained, and {event.names} is still led to"


def _denied(incident: Incident) -> bool:
    """Whether the record says that Firebreak was not allowed to do, or to read, what it had to: people mend that."""
    failed = incident.history if incident.phase == "failed" else ()
    return any("PERMISSION_DENIED" in one for one in (*incident.still_open, *(one.what for one in failed)))


def _asked_without(incident: Incident) -> bool:
    """Whether a person is asked without what was away for too long: the question says so."""
    question = incident.question if incident.phase == "waiting" else None
    return question is not None and any(one.startswith("away") for one in question.cautions)


def _contained_in_vain(stage: Stage, event: Event, incident: Incident) -> bool:
    """Whether it is contained by moving the traffic, and what the event names is led to, by nobody's doing since."""
    if incident.phase != "contained" or not event.names or not moves_traffic(incident):
        return False
    leads = _leads(event, stage.look(event.place)) and not _reopened(stage, event, incident)
    return leads and not says_not_done(incident)


def check_passed_events(stage: Stage) -> None:
    """Of an event that SCC has passed: whom only its message names, a person is asked about."""
    for came in stage.history.came:
        event = came.event
        incidents = [one for one in stage.history.incidents if key_of(one) == event.key]
        known = any(event.names in suspects_of(one) for one in incidents)
        if known or not event.names or not _leads(event, stage.look(event.place)):
            continue
        if _is_passed(stage, came) and not _asked_since(stage, came):
            message = f"a message names {event.names}, which is led to, and nobody was asked about it"
            raise Violated(5, message)


def _is_passed(stage: Stage, came: Came) -> bool:
    """Whether the message was of a finding that SCC holds for this workload still, by a later event, and wants done."""
    event, held = came.event, stage.held().get(came.event.key)
    if held is None or (held.place, held.category) != (event.place, event.category) or _tampered(stage, event):
        return False
    return came.acked and event.wanted and _is_due(stage, held) and _was_newer(stage, came)


def _was_newer(stage: Stage, came: Came) -> bool:
    """Whether SCC held a later event of the finding when the message came."""
    states = [one for when, one in stage.ground.scc.history if one.key == came.event.key and when <= came.at_ns]
    return bool(states) and states[-1].wanted and states[-1].at_ns > came.event.at_ns


def _asked_since(stage: Stage, came: Came) -> bool:
    """Whether since its message first came a question named it, or what counts is asked about still, or was closed."""
    first = min(one.step for one in stage.history.came if one.event == came.event)
    looks = [found for found in stage.history.looks.values() if key_of(found[-1].incident) == came.event.key]
    open_ = any(found[-1].incident.phase in {"waiting", "expired", "closed"} for found in looks)
    return open_ or any(one.step >= first and _names_it(one.incident, came.event) for found in looks for one in found)


def _names_it(incident: Incident, event: Event) -> bool:
    """Whether the open question says that only the event's message names what it names."""
    ids = {f"passed:{one.id}" for one in incident.events if one.event_ns == event.at_ns}
    question = incident.question if incident.phase == "waiting" else None
    return question is not None and not ids.isdisjoint(question.cautions)


def _ended_knowing(stage: Stage, event: Event, incident: Incident, *, named: bool) -> bool:
    """Whether the incident ended by a person's word, or for good, once the event was there."""
    since_ns = min(when for when, one in stage.ground.scc.history if one == event)
    ended_ns = _ended_ns(incident)
    if incident.phase in _BY_A_PERSON:
        return named or ended_ns >= since_ns
    # Recorded only, or declined: by today's policies, and with all sources answering, it would not be.
    # What came to lead there since makes findings of a day around suspect, and not what is older.
    old = stage.now_ns() - event.at_ns > DAY
    since = [one for one in stage.history.did if one.place == event.place and one.at_ns > ended_ns]
    again = any(_leads_again(event, one) for one in since)
    open_ = _leads(event, stage.look(event.place)) and not _asked_in_vain(stage, event, incident, since_ns)
    return incident.phase == "declined" and (old or again or not open_)


def _asked_in_vain(stage: Stage, event: Event, incident: Incident, since_ns: int) -> bool:
    """Whether a person was asked about the event, of whose image there is nothing."""
    resource, looks = stage.look(event.place), stage.history.looks[incident.id]
    nothing = event.digests and resource is not None and not carriers(resource, event.digests)
    return bool(nothing) and any(one.incident.phase == "waiting" and one.at_ns >= since_ns for one in looks)


def _ended_ns(incident: Incident) -> int:
    return incident.history[-1].at_ns if incident.history else incident.updated_ns


def _leads(event: Event, resource: Resource | None) -> bool:
    """Whether what the event makes suspect can still be reached; of an image that nobody has, a person is asked."""
    if resource is None or shut(resource) or resource.created_ns > event.at_ns:
        return False  # what was made since is another one than it was found on
    if event.names:
        return event.names in led_to(resource)
    if event.digests:
        carry = carriers(resource, event.digests)
        return not carry or bool(carry & led_to(resource))
    older = {one.name for one in resource.revisions if one.created_ns < event.at_ns}
    return bool(led_to(resource) & older)


def _leads_again(event: Event, did: Did | Wrote) -> bool:
    """Whether that has opened again what the event makes suspect, or put another resource in its place."""
    if did.before is None or did.after is None or did.before.uid != did.after.uid:
        return True
    return _leads(event, did.after.served()) and not _leads(event, did.before.served())


def _reopened(stage: Stage, event: Event, incident: Incident) -> bool:
    """Whether somebody has opened it again since it was contained, or had it released: that is told elsewhere."""
    history = stage.history
    contained = [one.step for one in history.looks[incident.id] if one.incident.phase == "contained"]
    released = (one for one in history.writes if releases_under_way(history, one))
    moves: list[Did | Wrote] = [*history.did, *released]
    there = (one for one in moves if one.place == event.place and one.step >= contained[0])
    return any(_leads_again(event, one) for one in there)
