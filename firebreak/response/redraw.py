"""A saved plan that no longer fits: drawn anew, stopped, or put to a person once more."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.containment.gate import Ruling
from firebreak.core.containment.plan import SUCCESS, Change, Plan
from firebreak.core.containment.whole_plan import follows_what_was_shown
from firebreak.core.incidents.question import shown_digest
from firebreak.ledger.records import StoredIncident
from firebreak.response.blast_radius import give_slots_back, never_wrote
from firebreak.response.decide import all_suspects, replanned, ruling_on
from firebreak.response.rest import ask, defer, end
from firebreak.response.turn import Turn, landed_any, with_ruling


def redraw(turn: Turn, held: StoredIncident, why: str, moved: Change | None = None) -> StoredIncident:
    """Draw the plan anew by the same policy.

    What others opened again where this incident closed it is asked about.
    """
    app, incident = turn.app, held.incident
    plan, around = replanned(app, incident, turn.policy, turn.confirmed, turn.readings)
    if not plan.changes:
        held = replace(held, incident=replace(incident, plan=plan))
        return end(app, held, "failed", f"{why}; {_refusals(plan)}", turn.readings)
    if (unreferred := around.unreferred(incident.id)) and not landed_any(incident):
        what = f"{why}; nothing to contain: nothing leads to {unreferred}"
        return end(app, held, "declined", what, turn.readings)
    closed = {one.target for one in incident.outcomes if one.status == SUCCESS}
    pending = moved is not None and turn.rolled_back(incident, moved)
    if plan.writes and moved is not None and (moved.target.key in closed or pending):
        drift = f"somebody changed what was contained: {why}"
        ruling = ruling_on(app, incident, turn.policy, turn.confirmed, around, plan, turn.readings, drift)
        if ruling.word in ("wait", "stop"):
            return stop(turn, with_ruling(held, ruling), ruling)
        return ask(app, with_ruling(held, ruling), turn.policy, plan, ruling.caps, around, f"{why}; close it again?")
    answer = incident.answer
    failed_on = (
        [one.target for one in incident.plan.changes if incident.failed_for(one.target)] if incident.plan else []
    )
    if answer and incident.plan and failed_on and follows_what_was_shown(incident.plan, plan, failed_on):
        shown = shown_digest(plan, all_suspects(incident, around), incident.counting)
        answer = replace(answer, shown=shown)
    fresh = replace(incident, plan=plan, answer=answer, operation=None, phase="containing")
    return app.ledger.save(held, fresh.with_history(app.now_ns(), "firebreak", f"drafted anew: {why}"))


def stop(turn: Turn, held: StoredIncident, ruling: Ruling) -> StoredIncident:
    """A bar came up since the decision; what was made before it stays."""
    bar = next(cap for cap in ruling.caps if cap.kind == "bar")
    if never_wrote(turn.app, held.incident):
        give_slots_back(turn.app, held.incident.id, turn.readings.deadline)
    if ruling.word == "wait":
        return defer(turn.app, held, bar.name, bar.reason)
    return end(turn.app, held, "monitored", bar.reason, turn.readings)


def _refusals(plan: Plan) -> str:
    return f"nothing else can be done: {'; '.join(f'{one.action}: {one.reason}' for one in plan.refusals)}"
