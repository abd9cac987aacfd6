"""The one place that writes to a customer's cloud: each write recorded before it is made, and read back after it.

A containing write needs a Pass, which only the gate's ruling makes. What is put back or restored is what Firebreak
itself wrote, as the active containment says. All of them are sent by one function, to the resource that the change was
drawn for, where every setting still is what the change says of before.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from firebreak.core.cloud_run.setting_names import running
from firebreak.core.cloud_run.state import surface_of
from firebreak.core.cloud_run.traffic_status import have_status
from firebreak.core.cloud_run.workload import Workload, references
from firebreak.core.containment.active_containment import Hold, Settings, Standing
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Change, Plan, apply_change, has_settings
from firebreak.core.errors import (
    AnotherResource,
    Drifted,
    Failed,
    Missing,
    Refused,
    Throttled,
    Transient,
    Unfinished,
)
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.readings import SETTLE_SECONDS, WRITES, Away, Pass, Readings, note_drift

_LEASE_SLICE = 10.0
_TRIES = 3
_WRITE_SECONDS = 20.0
"""Less than a lease, which was extended just before: nobody else takes over while an answer is still waited for."""


class Halted(Exception):
    """Everything was halted after the gate was asked; nothing was sent."""


def contain(
    app: App,
    held: StoredIncident,
    change: Change,
    seen: Seen,
    passed: Pass,
    again: Callable[[], Pass],
    readings: Readings,
) -> StoredIncident:
    """Save the hold, look at the halt, and write the change under the etag that was read; the operation is on record.

    `again` asks the gate anew, for where all that took longer than what it saw counts. Raises Halted, Drifted, Refused
    and its kin, after which nothing is held that was not before; and Transient where the answer was lost, so that what
    was written may be in effect or not: the hold stays.
    """
    incident = held.incident
    passed.require(incident, change, seen)
    if (workload := seen.workload) is None or seen.case is None:
        message = f"{change.target.place} was not read"
        raise Drifted(message)
    standing, document = readings.standing(change.target, seen.uid)
    if seen.standing is None or standing.beside(incident.id) != seen.standing.beside(incident.id):
        message = "another incident came to stand on this target"
        raise Drifted(message)
    refused = tuple(sorted(seen.case.unsupported))
    steps = (incident.plan or Plan((), ())).steps_on(change.target)
    hold = Hold(incident.id, steps, seen.case.own_suspects, app.now_ns(), unsupported=refused, unseen=True)
    writing = standing.of_resource(seen.uid).with_pending_write(
        hold, workload.state, apply_change(workload.state, change), workload.updated_ns
    )
    writing = replace(writing, place=change.target, etag=workload.etags.get(change.surface, ""))
    # A release of before is over: what it gave back may be held again.
    began = replace(incident.with_target(change.target), phase="containing", release=None)
    readings.forget_standings()
    held = app.ledger.save(held, began, app.ledger.standing_save(writing, document))
    try:
        _require_no_halt(app)
        if passed.is_old:
            again().require(incident, change, seen)
            _require_no_halt(app)  # to look again takes its time
        operation = _send(app, change, workload, readings)
    except (Halted, Refused) as fault:
        if not isinstance(fault, Failed):
            held = _taken_back(app, held, writing, standing)
        raise
    named = f"{change.surface} {change.target.key} {operation}" if operation else None
    verifying = replace(held.incident, phase="verifying", operation=named)
    return app.ledger.save(held, verifying.with_history(app.now_ns(), "firebreak", f"wrote {settings_of(change)}"))


def _send(app: App, change: Change, workload: Workload, readings: Readings) -> str | None:
    """The one road to a surface's write, there and back: where the change says, over what it says; the operation.

    Raises AnotherResource, Drifted, Refused and its kin, or Transient.
    """
    require_same(change, workload)
    if not has_settings(workload.state, change.before):
        message = f"somebody changed {settings_of(change)}"
        raise Drifted(message)
    try:
        return app.surfaces[change.surface].write(change, workload, readings.deadline.sooner(_WRITE_SECONDS))
    finally:
        readings.forget(change.target)


def is_same(change: Change, workload: Workload) -> bool:
    """Whether this is the resource that the change was drawn for, and not one made anew in its place."""
    return bool(change.basis.get("uid", "") == workload.uid)


def require_same(change: Change, workload: Workload) -> None:
    """Raises AnotherResource where this is not the resource that the change was drawn for."""
    if not is_same(change, workload):
        message = f"{change.target.place} was deleted, and another one made in its place"
        raise AnotherResource(message)


def _require_no_halt(app: App) -> None:
    if halted := app.ledger.halt_reason():
        raise Halted(halted)


def _taken_back(app: App, held: StoredIncident, writing: Standing, before: Standing) -> StoredIncident:
    """Nothing was sent, which only this writer knows: what stands is again as it was."""
    now, document = app.ledger.standing_at(writing.target)
    if now.holds != writing.holds:
        return held
    return app.ledger.save(held, held.incident, app.ledger.standing_save(before, document))


def await_operation(app: App, held: StoredIncident, deadline: Deadline) -> StoredIncident:
    """Poll the operation on record to its end, extending the lease on the way; raises Failed, or Unfinished."""
    while held.incident.operation:
        surface, _, operation = _parts(held.incident.operation)
        try:
            app.surfaces[surface].wait(operation, deadline.sooner(_LEASE_SLICE))
        except Unfinished:
            if deadline.passed or not deadline.waits:
                raise
            held = app.ledger.save(held, held.incident)
        else:
            return replace(held, incident=replace(held.incident, operation=None))  # the next save has it
    return held


def operating_on(incident: Incident, change: Change) -> bool:
    """Whether the operation on record is this change's."""
    return incident.operation is not None and _parts(incident.operation)[:2] == (change.surface, change.target.key)


def _parts(operation: str) -> tuple[str, str, str]:
    surface, key, name = operation.split(" ", 2)
    return surface, key, name


def in_effect(app: App, workload: Workload, change: Change) -> bool:
    """Whether the change stands and what serves is what its settings say: the statuses, not the wish.

    Of settings that no status tells of, only once Cloud Run has finished with them.
    """
    if not (has_settings(workload.state, change.after) and app.surfaces[change.surface].in_force(workload, change)):
        return False
    return workload.settled or (bool(change.after) and have_status(change.after))


def settle_own(app: App, held: StoredIncident, readings: Readings) -> StoredIncident:
    """Note what this incident wrote and is in effect, before anything is concluded from how things are now.

    A delivery may have ended between the write and the look at it. What cannot be read is left to whoever needs it.
    """
    incident = held.incident
    for target in incident.targets:
        with suppress(NotActedOn, Refused, Transient):
            standing, document = readings.standing(target, incident.uid_of(target))
            if not standing.wrote_last(incident.id):
                continue
            workload = readings.workload(target)
            if standing.is_of_another(workload.uid):
                continue
            surfaces = {surface_of(key) for key in standing.pending}
            changes = (Change(target, one, {}, _of_surface(standing.pending, one), {}, ()) for one in surfaces)
            if all(in_effect(app, workload, one) for one in changes):
                seen = standing.with_confirmed_write(workload.state, app.now_ns(), workload.updated_ns)
                held = app.ledger.save(held, held.incident, app.ledger.standing_save(seen, document))
                readings.confirmed_write(target, seen)
                note_drift(app, standing, incident.id, None)
    return held


def _of_surface(settings: Settings, surface: str) -> Settings:
    return {key: value for key, value in settings.items() if surface_of(key) == surface}


def await_effect(app: App, change: Change, readings: Readings, see: Callable[[], Seen]) -> Seen:
    """Read until the change is in effect; a wish that does not come true is a failure.

    `see` reads the target. Raises Failed, Drifted, or Unfinished where the delivery ends first.
    """
    backoff = Backoff(readings.deadline.sooner(SETTLE_SECONDS))
    while True:
        seen = see()
        if seen.workload is None:
            raise Refused(seen.fault)
        require_same(change, seen.workload)
        if not has_settings(seen.workload.state, change.after):
            message = "somebody changed the settings while they took effect"
            raise Drifted(message)
        if in_effect(app, seen.workload, change) and not (not change.after and _serves_still(seen)):
            return seen
        if not backoff.wait():
            # Only what had all the time to settle is a failure; where the delivery ends first, the next one looks on.
            settled = readings.had_time(seen.workload, backoff)
            if not have_status(change.after) and (settled or readings.deadline.waits):
                return seen  # nothing tells of it but the settings themselves
            if settled:
                message = "Cloud Run settled, but what serves is not what was written"
                raise Failed(message)
            raise Unfinished("")
        readings.forget(change.target)


def _serves_still(seen: Seen) -> bool:
    """Whether a suspect serves that the settings no longer lead to: somebody's own wish has not come true."""
    if (workload := seen.workload) is None or seen.case is None:
        return False
    uses = references(workload.state, workload.latest).items()
    wished = running(workload.state) | {name for name, use in uses if use.percent or use.tags}
    serving = {*(name for name, share in workload.effective.items() if share), *workload.effective_tags.values()}
    return bool(seen.case.own_suspects & serving - wished)


def put_back(app: App, change: Change, readings: Readings) -> str:
    """Take a change back that failed, setting by setting, where it still is what was written; why not, or empty.

    Raises Away where Google takes no more writes for now: it is tried again before anything else is concluded.
    """
    problem = ""
    for _ in range(_TRIES):
        readings.forget(change.target)
        try:
            workload = readings.workload(change.target)
            due = [key for key, value in change.after.items() if workload.state.get(key) == value]
            if not due or not is_same(change, workload):
                return ""
            back = replace(
                change,
                before={key: change.after[key] for key in due},
                after={key: change.before.get(key) for key in due},
            )
            restore(app, back, workload, readings)
        except Missing:
            return ""
        except (Refused, Transient) as fault:
            if isinstance(fault, Throttled) and readings.waits_for(WRITES):
                raise Away(WRITES, fault) from None
            problem = str(fault)
        else:
            return ""
    return problem


def restore(app: App, change: Change, workload: Workload, readings: Readings) -> None:
    """Write back what Firebreak itself had changed, and wait for the operation; raises Refused or Transient."""
    # Whether it failed is told by what is in effect, not by the operation, which may have ended with the answer.
    try:
        if operation := _send(app, change, workload, readings):
            app.surfaces[change.surface].wait(operation, readings.deadline)
    except Throttled:
        app.queue.refused(change.target)
        raise
    except Failed:
        return


def settings_of(change: Change) -> str:
    """The settings of a change, for a sentence."""
    return ", ".join(sorted(change.after)) or "no setting"
