"""The third invariant: what a yes leads to is what its question showed."""

from __future__ import annotations

from firebreak.core.containment.plan import Change
from tests.model.history import Told, Violated, Wrote
from tests.model.invariants.kinds_of_writes import Approval, approval_of, is_containing
from tests.model.reference import counted, key_of, led_to, place_of_incident, suspects_of
from tests.model.stage import Stage


def check_answers(stage: Stage) -> None:
    """What runs after an answer is what its question showed: plan, cautions, suspects, events; else a new question."""
    for wrote in stage.history.this_step():
        approval = approval_of(stage.history, wrote) if is_containing(stage.history, wrote) else None
        if approval is None:
            continue
        for found in (_plan(approval, wrote), _events(stage, approval, wrote)):
            if found:
                message = f"{found}: {wrote}"
                raise Violated(3, message)
    for told in stage.history.told[-1:]:
        if told.step == stage.history.step and (found := _other_question(stage, told)):
            raise Violated(3, found)


def _plan(approval: Approval, wrote: Wrote) -> str:
    """The very change was among those shown, or among what was to follow if one fails."""
    shown = any(_same(one, wrote.change) for one in approval.shown)
    return "" if shown else "the question that was approved did not show it"


def _same(one: Change, other: Change) -> bool:
    mine, others = ((change.target.key, change.surface, dict(change.after)) for change in (one, other))
    return mine == others and all(one.before.get(key) == value for key, value in other.before.items())


def _events(stage: Stage, approval: Approval, wrote: Wrote) -> str:
    """No event had come, before the answer, that makes somebody else suspect."""
    assert wrote.incident
    suspects, key = suspects_of(approval.asked), key_of(wrote.incident)
    began = stage.history.looks[wrote.incident.id][0].step
    came = [one for one in stage.history.came if one.event.key == key and one.acked]
    # What came before the incident began belongs to an earlier one, also where it comes again.
    earlier = {one.event.at_ns for one in came if one.step < began}
    came = [one for one in came if one.event.at_ns not in earlier and one.seq < approval.told.seq]
    own = wrote.resources.get(place_of_incident(wrote.incident))
    for one in came:
        counts = one.event in counted(stage.ground.scc, key, wrote.at_ns) and one.event.names
        if counts and own and one.event.names in led_to(own) - suspects:
            return f"{one.event.names} was named meanwhile, and was not in the question"
    return ""


def _other_question(stage: Stage, told: Told) -> str:
    """An answer to another question than the open one is told so, and changes nothing."""
    command = told.command
    if command.verb not in ("approve", "reject") or not told.done:
        return ""
    before, after = stage.history.before_step(command.incident, told.step), stage.history.last(command.incident)
    question = before.question if before else None
    same = question is not None and question.digest == command.digest
    changed = before is not None and after is not None and before.phase != after.phase
    return "" if same or not changed else f"{command.verb} of a question that is not the open one was obeyed"
