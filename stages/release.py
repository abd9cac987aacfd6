"""The way back: what should stand with one hold fewer, written key by key, a person's own changes left alone."""

from __future__ import annotations

import functools
import time
from dataclasses import replace

from adapters.deadline import Deadline
from app import App
from core.action import Refusal, State
from core.case import Case
from core.errors import Drifted, Refused, Transient, Unfinished
from core.incident import Incident
from core.plan import Change, changes_between, overlaid
from core.standing import Hold, Restoration, Standing, restoration, should_stand
from core.target import Target
from core.workload import Workload, references
from ledger import Held
from stages.announce import channels
from stages.decide import reread_case
from stages.verify import in_force

_TRIES = 5


class CannotRelease(Refused):
    """The release was not made; the text says why and what still stands."""


def release(app: App, held: Held, by: str, deadline: Deadline) -> Held:
    """Take this incident's hold away and restore what it set; raises CannotRelease, or Transient to be run again."""
    target = held.incident.finding.target
    if not isinstance(target, Target):
        raise CannotRelease(target.reason)
    if not held.sealed:
        message = "the record's seal is broken: it is not released; see the lines for undoing it by hand"
        raise CannotRelease(message)
    if held.incident.release is None:
        held = _begin(app, held, target, by, deadline)
    try:
        for change in held.incident.release or ():
            _restore(app, change, deadline)
    except Refused as fault:
        _stand_again(app, held, target)
        undone = replace(held.incident, release=None)
        app.ledger.free(held, undone.told(app.now_ns(), by, f"the release was refused: {fault}"))
        message = f"the release was refused, the containment still stands: {fault}"
        raise CannotRelease(message) from None
    return _end(app, held, by)


def _begin(app: App, held: Held, target: Target, by: str, deadline: Deadline) -> Held:
    """Save what will be written, then what will stand; from here on a crash is resumed, not repeated."""
    standing, document = app.ledger.standing(target.key)
    if not standing.held_by(held.incident.id):
        return _nothing_to_restore(app, held, by)
    workload = app.read(target, deadline.sooner(15))
    named = frozenset(held.incident.decision.related_revisions if held.incident.decision else ())
    case = reread_case(held.incident.finding, workload, named, standing)
    wanted = _wanted(app, standing.without(held.incident.id), case)
    _keep_others_closed(standing.without(held.incident.id), wanted, workload)
    restored = restoration(workload.state, standing.applied, wanted)
    changes = changes_between(target, workload.state, restored.state, ("release",))
    told = held.incident.told(app.now_ns(), by, _said(changes, restored))
    held = app.ledger.save(held, replace(told, release=changes, still_open=_left(restored)))
    rest = standing.without(held.incident.id)
    stands = replace(rest, applied=dict(restored.state)) if rest.holds else Standing(target.key)
    app.ledger.stand(replace(stands, released_ns=app.now_ns()), document)
    return held


def _wanted(app: App, rest: Standing, case: Case) -> State:
    folded = should_stand(rest, case, app.actions)
    if isinstance(folded, Refusal):
        message = f"what other incidents hold could not be kept: {folded.reason}"
        raise CannotRelease(message)
    return folded


def _keep_others_closed(rest: Standing, wanted: State, workload: Workload) -> None:
    suspects = frozenset[str]().union(*(hold.suspects for hold in rest.holds))
    uses = references(wanted, workload.latest)
    opened = sorted(name for name in suspects & uses.keys() if uses[name].percent or uses[name].tags)
    if opened:
        message = f"it would make {', '.join(opened)} reachable again, which another incident holds suspect"
        raise CannotRelease(message)


def _restore(app: App, change: Change, deadline: Deadline) -> None:
    """Write the keys that still stand as Firebreak left them; those already restored, or a person's, are left."""
    for attempt in range(_TRIES):
        workload = app.read(change.target, deadline.sooner(15))
        due = {key: value for key, value in change.after.items() if workload.state.get(key) == change.before[key]}
        due = {key: value for key, value in due.items() if workload.state.get(key) != value}
        if not due:
            _await_effect(app, change, workload, deadline)
            return
        writing = replace(change, before={key: change.before[key] for key in due}, after=due)
        try:
            operation = app.surfaces[change.surface].write(writing, workload, deadline)
        except (Drifted, Transient):
            if attempt == _TRIES - 1 or deadline.passed:
                raise
            time.sleep(deadline.remaining(0.2 * 2**attempt))
            continue
        if operation:
            app.surfaces[change.surface].wait(operation, deadline)


def _await_effect(app: App, change: Change, workload: Workload, deadline: Deadline) -> None:
    """Wait until what serves is what was restored, unless a person has changed it meanwhile."""
    pause = 0.1
    settings = {key: workload.state.get(key) for key in change.after}
    now = replace(change, after=settings)
    while not (workload.settled and in_force(app, workload, now)):
        if deadline.remaining() < pause:
            raise Unfinished("")
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
        workload = app.read(change.target, deadline.sooner(15))
        now = replace(change, after={key: workload.state.get(key) for key in change.after})


def _stand_again(app: App, held: Held, target: Target) -> None:
    """Put the hold back that a refused release had taken away: the settings are still what it wrote."""
    standing, document = app.ledger.standing(target.key)
    changes, plan = held.incident.release, held.incident.plan
    if standing.held_by(held.incident.id) or changes is None or plan is None:
        return
    suspects = frozenset(held.incident.decision.suspects if held.incident.decision else ())
    workload = app.read(target, Deadline.after(15))
    origin = standing.origin if standing.holds else functools.reduce(overlaid, changes, workload.state)
    again = standing.holding(Hold(held.incident.id, plan.steps, suspects, held.incident.created_ns), origin, {})
    app.ledger.stand(replace(again, applied=dict(workload.state), released_ns=None), document)


def _nothing_to_restore(app: App, held: Held, by: str) -> Held:
    nothing = "released: this incident holds nothing, so nothing was written"
    return app.ledger.save(held, held.incident.told(app.now_ns(), by, nothing))


def _end(app: App, held: Held, by: str) -> Held:
    ended: Incident = replace(held.incident, phase="released", release=None)
    told = ended.told(app.now_ns(), by, "released")
    return app.ledger.save(held, told.announcing(channels(app)))


def _said(changes: tuple[Change, ...], restored: Restoration) -> str:
    back = ", ".join(sorted(key for change in changes for key in change.after)) or "no setting"
    left = (
        f"; left alone, because a person changed them: {', '.join(restored.left_alone)}" if restored.left_alone else ""
    )
    return f"asked for the release: {back} to be restored{left}"


def _left(restored: Restoration) -> tuple[str, ...]:
    return tuple(f"{key} was changed by a person and is left as it is" for key in restored.left_alone)
