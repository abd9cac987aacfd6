"""Blast radius: a slot taken by compare-and-set in the incident's name, so that a storm of findings asks a person."""

from __future__ import annotations

from app import App
from core.errors import Transient
from core.incident import WORKING
from core.instants import NANOS
from core.mode import Cap
from core.target import Target
from documents import Conflict, Document, Exists

HOUR_NS = 3600 * NANOS
_TRIES = 10


def take_slots(app: App, target: Target, incident_id: str) -> tuple[Cap, ...]:
    """A slot in the project and one in all; a redelivery finds its own, and slots age out after an hour.

    Raises Transient where a slot is taken for this very target and its containment is not done: there may be nothing
    left to write then.
    """
    limits = app.policies.charter.limits
    project = _project(target)
    for key, limit, where in (
        (f"project~{project}", limits.per_project_per_hour, f"in project {project}"),
        ("all", limits.per_hour, "in all"),
    ):
        if not _take(app, key, limit, incident_id):
            _wait_for_this_target(app, key, target)
            reason = f"{limit} containments {where} within an hour are the limit, and they are used up"
            return (Cap("blast_radius", "caution", reason),)
    return ()


def give_slots_back(app: App, target: Target, incident_id: str) -> None:
    """An incident that joined what others had closed counts for nothing."""
    for key in (f"project~{_project(target)}", "all"):
        for _ in range(_TRIES):
            document = app.ledger.documents.read("slots", key)
            slots = dict(document.body["slots"]) if document else {}
            if slots.pop(incident_id, None) is None or _save(app, key, document, slots):
                break


def _project(target: Target) -> str:
    return target.project_id or target.project


def _wait_for_this_target(app: App, key: str, target: Target) -> None:
    document = app.ledger.documents.read("slots", key)
    for holder in document.body["slots"] if document else ():
        other = app.ledger.read(str(holder))
        where = other.incident.finding.target if other else None
        if other and isinstance(where, Target) and where.key == target.key and other.incident.phase in WORKING:
            message = f"incident {other.incident.id} is about to be contained on the same target"
            raise Transient(message)


def tells_of_the_storm(app: App, incident_id: str) -> bool:
    """Whether this incident is the one that tells people of the storm: the first within an hour, and it alone."""
    return _take(app, "storm", 1, incident_id)


def _take(app: App, key: str, limit: int, incident_id: str) -> bool:
    for _ in range(_TRIES):
        now = app.now_ns()
        document = app.ledger.documents.read("slots", key)
        taken = {
            str(one): int(at)
            for one, at in (document.body["slots"].items() if document else ())
            if now - int(at) < HOUR_NS
        }
        if incident_id in taken:
            return True
        if len(taken) >= limit:
            return False
        if _save(app, key, document, {**taken, incident_id: now}):
            return True
    return False


def _save(app: App, key: str, document: Document | None, slots: dict[str, int]) -> bool:
    try:
        if document is None:
            app.ledger.documents.create("slots", key, {"slots": slots})
        else:
            app.ledger.documents.replace(document, {"slots": slots})
    except (Conflict, Exists):
        return False
    return True
