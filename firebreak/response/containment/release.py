"""The way back: what should stand with one hold fewer, written key by key, a person's own changes left alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn

from firebreak.core.actions.action import Refusal
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.setting_names import IDENTITY, INGRESS
from firebreak.core.cloud_run.state import State, surface_of
from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.cloud_run.workload import Workload, references
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.drafting import changes_between
from firebreak.core.containment.plan import Change
from firebreak.core.containment.restoration import Restoration, required_state, restoration
from firebreak.core.errors import Drifted, Missing, Refused, Transient, Unfinished
from firebreak.core.incidents.incident import Incident, Release
from firebreak.ledger.documents import Conflict, Document
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import channels
from firebreak.response.app import App
from firebreak.response.containment.verify import in_force
from firebreak.response.decision.look import edit_context_seen, known_of

_TRIES = 5


class CannotRelease(Refused):
    """The release was not made; the text says why and what still stands."""


class _Overtaken(Exception):
    """Others came to stand on the target since the release was drawn; `held` is the incident as saved last."""

    def __init__(self, held: StoredIncident) -> None:
        super().__init__(held.incident.id)
        self.held = held


def release(app: App, held: StoredIncident, by: str, deadline: Deadline) -> StoredIncident:
    """Take this incident's hold away and restore what it set; raises CannotRelease, or Transient to be run again."""
    target = held.incident.finding.target
    if isinstance(target, NotATarget):
        raise CannotRelease(target.reason)
    if not held.sealed:
        message = "the record's seal is broken: it is not released; see the lines for undoing it by hand"
        raise CannotRelease(message)
    for _ in range(_TRIES):
        try:
            if held.incident.release is None:
                held = _begin(app, held, by, deadline)
            return _carry_out(app, held, by, deadline)
        except _Overtaken as again:
            held = app.ledger.save(again.held, replace(again.held.incident, release=None))
    message = "others keep changing the containment of this target; try again"
    raise Transient(message)


def _carry_out(app: App, held: StoredIncident, by: str, deadline: Deadline) -> StoredIncident:
    """Restore what the saved release names, and take each target's hold away once that is in force there.

    One target that refuses keeps its hold; the others do not wait for it.
    """
    begun = held.incident.release
    gone: set[str] = set()
    refused: dict[str, Refused] = {}
    for change in begun.changes if begun else ():
        try:
            if change.target.key not in refused:
                _restore(app, held, change, deadline)
        except Missing:
            gone.add(change.target.key)
        except Refused as fault:
            refused[change.target.key] = fault
    for target in held.incident.targets:
        if target.key not in refused:
            held = _let_go(app, held, target, by, deadline, gone=target.key in gone)
    if refused:
        _refused(app, held, by, refused)
    return _ended(app, held, held.incident, by)


def _refused(app: App, held: StoredIncident, by: str, refused: Mapping[str, Refused]) -> NoReturn:
    """Save the incident as one that still stands; raises CannotRelease."""
    _stop_releasing(app, held.incident)
    targets = [target for target in held.incident.targets if target.key in refused]
    why = "; ".join(f"{held.incident.place_of(target)}{refused[target.key]}" for target in targets)
    undone = replace(held.incident, release=None)
    app.ledger.release_lease(held, undone.with_history(app.now_ns(), by, f"the release was refused: {why}"))
    message = f"the release was refused, the containment still stands: {why}"
    raise CannotRelease(message) from None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the release of one target would write, under what stands there."""

    target: Target
    standing: Standing
    document: Document | None
    restored: Restoration
    changes: tuple[Change, ...]


def _begin(app: App, held: StoredIncident, by: str, deadline: Deadline) -> StoredIncident:
    """Save what will be written, and on each standing that it is; from here on a crash is resumed, not repeated."""
    incident, now = held.incident, app.now_ns()
    drawn = [one for target in incident.targets if (one := _draw(app, incident, target, deadline))]
    if not any(one.standing.held_by(incident.id) for one in drawn):
        nothing = "asked for the release: this incident holds nothing, so nothing was written"
        return app.ledger.save(held, replace(incident.with_history(now, by, nothing), release=Release(by, ())))
    # The way back begins where containing ended: what runs as a disabled account may take no update.
    changes = tuple(
        sorted((change for one in drawn for change in one.changes), key=lambda one: one.surface != IDENTITY)
    )
    told = incident.with_history(now, by, _said(incident, changes, drawn))
    held = app.ledger.save(held, replace(told, release=Release(by, changes), still_open=_left(incident, drawn)))
    for one in drawn:
        back = {key: value for change in one.changes for key, value in change.after.items()}
        _stand(app, held, one.standing.with_pending_release(incident.id, back, now), one.document)
    return held


def _draw(app: App, incident: Incident, target: Target, deadline: Deadline) -> _Drawn | None:
    """What releasing this target would write; None where the incident does not hold it, or it does not exist."""
    standing, document = app.ledger.standing(target)
    if not standing.held_by(incident.id):
        return None
    if standing.being_released(incident.id, app.now_ns()):
        message = f"the release of {standing.releasing} is being written to the same target; try again in a moment"
        raise Transient(message)
    try:
        workload = app.read(target, deadline.sooner(15))
    except Missing:
        return _Drawn(target, standing, document, Restoration({}, ()), ())
    _require_read(standing, workload)
    rest = standing.without_hold(incident.id)
    wanted = _wanted(app, rest, _case(incident, workload, standing))
    _keep_others_closed(rest, wanted, workload)
    restored = restoration(workload.state, standing, wanted)
    changes = changes_between(target, workload.state, restored.state, ("release",))
    return _Drawn(target, standing, document, restored, changes)


def _require_read(standing: Standing, workload: Workload) -> None:
    """What Firebreak wrote and cannot read now is neither as it was left nor a person's: it is not known."""
    keys = standing.origin.keys() | standing.applied.keys()
    wrote = {key for key in keys if standing.origin.get(key) != standing.applied.get(key)} | standing.pending.keys()
    for surface in sorted({surface_of(key) for key in wrote} & workload.unread.keys()):
        message = f"{surface} could not be read, so nothing is restored: {workload.unread[surface]}"
        raise CannotRelease(message)


def _stand(app: App, held: StoredIncident, standing: Standing, document: Document | None) -> None:
    """Save what stands, over what was read; where somebody else was faster, the release is drawn anew."""
    try:
        app.ledger.save_standing(standing, document)
    except Conflict:
        raise _Overtaken(held) from None


def _case(incident: Incident, workload: Workload, standing: Standing) -> EditContext:
    return edit_context_seen(incident.finding, workload, known_of(incident.decision, ()), standing)


def _wanted(app: App, rest: Standing, case: EditContext) -> State:
    folded = required_state(rest, case, app.actions)
    if isinstance(folded, Refusal):
        message = f"what other incidents hold could not be kept: {folded.reason}"
        raise CannotRelease(message)
    return folded


def _keep_others_closed(rest: Standing, wanted: State, workload: Workload) -> None:
    if wanted.get(INGRESS) == "none":
        return
    uses = references(wanted, workload.latest)
    opened = sorted(name for name in rest.suspects & uses.keys() if uses[name].percent or uses[name].tags)
    if opened:
        message = f"it would make {', '.join(opened)} reachable again, which another incident holds suspect"
        raise CannotRelease(message)


def _restore(app: App, held: StoredIncident, change: Change, deadline: Deadline) -> None:
    """Write the keys that still stand as Firebreak left them; those already restored, or a person's, are left."""
    surface = app.surfaces[change.surface]
    for attempt in range(_TRIES):
        workload = app.read(change.target, deadline.sooner(15))
        due = {key: value for key, value in change.after.items() if workload.state.get(key) == change.before[key]}
        if not due:
            _await_effect(app, change, workload, deadline)
            return
        # Looked at after the settings: whoever comes to stand there from now on waits, so that nobody is undone.
        if app.ledger.standing(change.target)[0].releasing != held.incident.id:
            raise _Overtaken(held)
        writing = replace(change, before={key: change.before[key] for key in due}, after=due)
        try:
            operation = surface.write(writing, workload, deadline)
        except (Drifted, Transient):
            if attempt == _TRIES - 1 or deadline.passed:
                raise
            time.sleep(deadline.remaining(0.2 * 2**attempt))
            continue
        if operation:
            surface.wait(operation, deadline)


def _await_effect(app: App, change: Change, workload: Workload, deadline: Deadline) -> None:
    """Wait until what serves is what was restored, unless a person has changed it meanwhile."""
    backoff = Backoff(deadline)
    settings = {key: workload.state.get(key) for key in change.after}
    now = replace(change, after=settings)
    while not (workload.settled and in_force(app, workload, now)):
        if not backoff.wait():
            raise Unfinished("")
        workload = app.read(change.target, deadline.sooner(15))
        now = replace(change, after={key: workload.state.get(key) for key in change.after})


def _stop_releasing(app: App, incident: Incident) -> None:
    """A refused release leaves the holds where they were: the settings are still what they wrote."""
    for target in incident.targets:
        with suppress(NotActedOn):
            standing, document = app.ledger.standing(target)
            if standing.releasing == incident.id:
                app.ledger.save_standing(replace(standing, releasing="", pending={}), document)


def _let_go(
    app: App, held: StoredIncident, target: Target, by: str, deadline: Deadline, *, gone: bool
) -> StoredIncident:
    """Take one hold away; what was restored is in force by now."""
    standing, document = app.ledger.standing(target)
    if document is None or not standing.held_by(held.incident.id):
        return held
    at = standing.released_ns if by == "firebreak" else app.now_ns()
    try:
        now = None if gone else app.read(target, deadline.sooner(15))
    except Missing:
        now = None
    if now is None:
        rest = standing.without_hold(held.incident.id)
        _stand(app, held, rest if rest.holds else rest.without_holds(app.now_ns()), document)
        what = f"{held.incident.place_of(target)}the target does not exist any more: nothing was left to restore"
        return replace(held, incident=held.incident.with_history(app.now_ns(), by, what))
    restored = standing.with_finished_release(held.incident.id, now.state, now.updated_ns)
    _stand(app, held, replace(restored, released_ns=at), document)
    return replace(held, incident=_differing(held.incident, now))


def _differing(incident: Incident, now: Workload) -> Incident:
    """Not everything comes back exactly, a service's scaling above all; what reads differently is said."""
    changes = incident.release.changes if incident.release else ()
    here = (change for change in changes if change.target.key == now.target.key)
    wanted = {key: value for change in here for key, value in change.after.items()}
    place = incident.place_of(now.target)
    said = tuple(
        f"{place}{key} was restored to {value} and reads {now.state.get(key)}"
        for key, value in sorted(wanted.items())
        if now.state.get(key) != value
    )
    return replace(incident, still_open=(*incident.still_open, *said))


def _ended(app: App, held: StoredIncident, incident: Incident, by: str) -> StoredIncident:
    ended = replace(incident, phase="released", release=None, question=None, next_ns=None)
    return app.ledger.save(held, ended.with_history(app.now_ns(), by, "released").with_announcements(channels(app)))


def _said(incident: Incident, changes: tuple[Change, ...], drawn: list[_Drawn]) -> str:
    back = sorted(f"{incident.place_of(change.target)}{key}" for change in changes for key in change.after)
    alone = [f"{_place(incident, one)}{key}" for one in drawn for key in one.restored.left_alone]
    left = f"; left alone, because a person changed them: {', '.join(alone)}" if alone else ""
    return f"asked for the release: {', '.join(back) or 'no setting'} to be restored{left}"


def _left(incident: Incident, drawn: list[_Drawn]) -> tuple[str, ...]:
    left = tuple(
        f"{_place(incident, one)}{key} was changed by a person and is left as it is"
        for one in drawn
        for key in one.restored.left_alone
    )
    lost = tuple(
        f"{_place(incident, one)}{key} cannot be restored: a cancelled run cannot be resumed"
        for one in drawn
        for key in one.restored.lost
    )
    return (*left, *lost)


def _place(incident: Incident, one: _Drawn) -> str:
    return incident.place_of(one.target)
