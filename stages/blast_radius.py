"""Blast radius: a slot taken by compare-and-set in the incident's name, so that a storm of findings asks a person."""

from __future__ import annotations

from app import App
from core.instants import NANOS
from core.mode import Cap
from documents import Conflict, Document, Exists

HOUR_NS = 3600 * NANOS
_TRIES = 10


def take_slots(app: App, project: str, incident_id: str) -> tuple[Cap, ...]:
    """A slot in the project and one in all; a redelivery finds its own, and slots age out after an hour."""
    limits = app.policies.charter.limits
    scopes = (
        (f"project~{project}", limits.per_project_per_hour, f"in project {project}"),
        ("all", limits.per_hour, "in all"),
    )
    for key, limit, where in scopes:
        if not _take(app, key, limit, incident_id):
            reason = f"{limit} containments {where} within an hour are the limit, and they are used up"
            return (Cap("blast_radius", "caution", reason),)
    return ()


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
