"""Of the fourth invariant what comes after: what was closed and is open again is told, and asked about."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.incidents.incident import Incident
from tests.model.clock import HOUR
from tests.model.history import Did, Violated
from tests.model.invariants.turns import TURNS, stopped
from tests.model.reference import led_to, shut, suspects_of
from tests.model.stage import Stage


def check_reopened(stage: Stage) -> None:
    """A reference that the plan closed and that is open again is asked about, once for each difference."""
    sweeps = stage.history.sweeps[-TURNS:]
    last = sweeps[-1].step == stage.history.step if sweeps else False
    if len(sweeps) < TURNS or not last or not all(one.clean for one in sweeps) or stopped(stage, sweeps[0]):
        return
    for incident, did in _reopened(stage):
        looked = any(one.step > did.step for one in stage.history.looks[incident.id])
        if not looked and did.at_ns + HOUR <= sweeps[0].at_ns:
            message = f"{did.what} at {did.place} leads to a suspect of {incident.id} again, and nobody is told"
            raise Violated(4, message)


def _reopened(stage: Stage) -> Iterator[tuple[Incident, Did]]:
    """Incidents that are contained, and what somebody first did to a place of theirs that opened it again."""
    history = stage.history
    for looks in history.looks.values():
        incident, since = looks[-1].incident, looks[-1].step
        if incident.phase != "contained" or history.is_tampered(incident.id) or incident.decision is None:
            continue
        suspects = suspects_of(incident)
        wrote = {one.place for one in history.writes if one.incident and one.incident.id == incident.id}
        for did in history.did:
            if did.place not in wrote or did.step <= since or did.after is None or did.before is None:
                continue
            resource = stage.look(did.place)
            opened = suspects & (led_to(did.after) - led_to(did.before))
            if resource and resource.uid == did.after.uid and opened & led_to(resource) and not shut(resource):
                yield incident, did
