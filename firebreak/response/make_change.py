"""Making one change of a saved plan: through the gate, by the one writer, and what follows from its answer."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.errors import Denied, Drifted, Refused, Throttled, Transient, Unsupported
from firebreak.ledger.records import StoredIncident
from firebreak.response.blast_radius import give_slots_back, never_wrote, take_slots
from firebreak.response.decide import ruling_on
from firebreak.response.move import (
    Halted,
    Pass,
    contain,
)
from firebreak.response.outcomes import record_failure, record_refusal
from firebreak.response.redraw import redraw, stop
from firebreak.response.rest import ask, defer
from firebreak.response.turn import Turn, latest, with_ruling

_PAUSE = 0.2


def make(turn: Turn, held: StoredIncident, plan: Plan, change: Change, seen: Seen) -> StoredIncident:
    """Write one change, if the gate lets the plan through and no person has to be asked first."""
    app, incident = turn.app, held.incident
    ruling = ruling_on(app, incident, turn.policy, turn.confirmed, turn.around, plan, turn.readings)
    held = with_ruling(held, ruling)
    if ruling.word in ("wait", "stop"):
        return stop(turn, held, ruling)
    caps = ruling.caps
    passed = Pass.of(ruling, plan, turn.around.seen) if ruling.word == "go" else None  # older by what slots wait for
    if passed and ruling.slots:
        caps = (*caps, *take_slots(app, incident.id, plan, turn.readings.deadline))
    unbelieved = "" if seen.standing else seen.fault  # whoever approved it, the record is not written over
    if passed is None or len(caps) > len(ruling.caps) or unbelieved:
        why = "; ".join(cap.reason for cap in caps if cap.kind == "caution") or "the policy asks"
        return ask(app, held, turn.policy, plan, caps, turn.around, unbelieved or why)
    try:
        return contain(app, held, change, seen, passed, turn.readings)
    except Halted as halted:
        if never_wrote(app, incident):
            give_slots_back(app, incident.id, turn.readings.deadline)
        return defer(app, latest(app, held), "halt", str(halted))
    except Refused as fault:
        return _after_refusal(turn, latest(app, held), plan, change, fault)
    except Transient as fault:
        if isinstance(fault, Throttled):
            app.queue.refused(change.target)
        # An answer that was lost: what is in force now decides, never a blind repeat.
        if turn.readings.deadline.passed or turn.readings.lost_another():
            raise
        app.log("WARNING", f"the write is looked at again: {fault}", incident=incident.id)
        turn.readings.deadline.pause(_PAUSE)
        return latest(app, held)


def _after_refusal(turn: Turn, held: StoredIncident, plan: Plan, change: Change, fault: Refused) -> StoredIncident:
    """What follows where the write was not taken: another look, another plan, or a failure."""
    match fault:
        case Drifted():
            if turn.readings.lost_another():
                message = f"others keep writing at the same moment: {fault}"
                raise Transient(message) from None
            turn.app.log("WARNING", f"looked at again before the write: {fault}", incident=held.incident.id)
            return held
        case Denied():
            return record_refusal(turn, held, plan, change, fault)
        case Unsupported(setting=str() as setting) if setting not in held.incident.unsupported:
            known = replace(held.incident, unsupported=(*held.incident.unsupported, setting))
            return redraw(turn, replace(held, incident=known), str(fault))
        case _:
            return record_failure(turn, held, change, fault)
