"""Every standing containment, read again: what others changed is reported once, and asked about where it reopens."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from firebreak.core.cloud_run.state import surface_of
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.restoration import kept_shut
from firebreak.core.containment.review import Drift, drift_on
from firebreak.core.errors import Missing, Refused
from firebreak.core.incidents.phase import WORKING
from firebreak.ledger.documents import Save
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import flush, save_and_tell
from firebreak.response.app import App
from firebreak.response.confirm import confirm
from firebreak.response.decide import replanned, ruling_on
from firebreak.response.readings import Away, Readings, note_away, note_drift
from firebreak.response.rest import ask
from firebreak.response.set_aside import set_aside


def look_at(app: App, target: str, deadline: Deadline) -> str | None:
    """Read one target and report what has moved there; a word for what was found, None if all is as it was left."""
    standing, document = app.ledger.standing_at(target)
    never = all(one.unseen and standing.pending for one in standing.holds)  # in force: nobody has changed it
    if document is None or never or standing.place is None or _at_work(app, standing):
        return None
    try:
        workload = app.read(standing.place, deadline.sooner(15))
    except Missing:
        gone = Drift("the target does not exist any more: release ends the incident")
        return _report(app, standing, "gone", gone, deadline)
    drift = drift_on(standing, workload, kept_shut(standing, workload, app.actions))
    if standing.is_of_another(workload.uid):
        opened = drift.opened if drift else ()
        anew = Drift("the target was deleted, and another one made in its place: release ends the incident", opened)
        return _report(app, standing, f"uid {workload.uid}", anew, deadline)
    if drift is None:
        return _report(app, standing, "", None, deadline)
    told = json.dumps([drift.settings, drift.opened], sort_keys=True)
    return _report(app, standing, hashlib.sha256(told.encode()).hexdigest()[:16], drift, deadline)


def _at_work(app: App, standing: Standing) -> bool:
    """Whether somebody is writing there: what is seen meanwhile is no change by others, and theirs to look at."""
    held = (app.ledger.read(one.incident) for one in standing.holds if standing.pending)
    return bool(standing.releasing) or any(one is not None and one.incident.phase in WORKING for one in held)


def _report(app: App, standing: Standing, signature: str, drift: Drift | None, deadline: Deadline) -> str | None:
    """Tell it on the newest incident that it concerns, and ask there; once for each difference."""
    if standing.drift == signature or standing.place is None:
        return None
    sentence = drift.says if drift else "nothing differs any more from what was left"
    opened = drift.opened if drift else ()
    about = [one for one in standing.holds if _closed(app, one, opened)] or [*standing.holds]
    try:
        held = app.ledger.take(about[-1].incident)
    except NotActedOn as fault:
        _remember(app, standing, signature)
        set_aside(app, fault)
        message = f"{sentence}; it cannot be told on its incident: {fault}"
        raise Refused(message) from None
    if held is None:
        return None
    held = replace(held, incident=held.incident.with_drift(standing.place.key, drift))
    note_drift(app, standing, held.incident.id, drift)
    readings = Readings(app, held.incident, deadline)
    told = _told(app, standing, signature)  # in the commit that tells it: told once, whatever happens next
    try:
        held = _ask(app, held, sentence, readings, told) if opened else _tell(app, held, sentence, told)
    except Away as away:
        note_away(held, away, readings)
        _remember(app, standing, f"not asked about: {signature}")
        raise
    held = flush(app, held, deadline)
    app.ledger.release_lease(held, held.incident)
    return "asked" if held.incident.phase == "waiting" and opened else "reported"


def _closed(app: App, hold: Hold, opened: tuple[str, ...]) -> bool:
    """Whether what is open again is a suspect of this hold, or a door of a kind that its steps shut."""
    shuts = frozenset[str]().union(
        *(app.actions[one.action].surfaces for one in hold.steps if one.action in app.actions)
    )
    return any(one in hold.suspects or surface_of(one) in shuts for one in opened)


def _told(app: App, standing: Standing, signature: str) -> tuple[Save, ...]:
    """What is to be saved of the target once this was told of it; nothing where nothing stands there any more."""
    now, document = app.ledger.standing_at(standing.target)
    held = document is not None and now.holds
    return (app.ledger.standing_save(replace(now, drift=signature), document),) if held else ()


def _remember(app: App, standing: Standing, signature: str) -> None:
    app.ledger.commit(*_told(app, standing, signature))


def _tell(app: App, held: StoredIncident, sentence: str, also: tuple[Save, ...]) -> StoredIncident:
    told = replace(held.incident, away={}).with_history(app.now_ns(), "firebreak", sentence)
    return save_and_tell(app, held, told, *also)


def _ask(app: App, held: StoredIncident, sentence: str, readings: Readings, also: tuple[Save, ...]) -> StoredIncident:
    """Whether to close again what somebody opened is for a person to say."""
    policy = app.policy_of(held.incident)
    if policy is None:
        return _tell(
            app, held, f"{sentence}; the policy that contained it does not exist any more: close it by hand", also
        )
    confirmed = confirm(held.incident, readings)
    plan, around = replanned(held.incident, policy, confirmed, readings)
    if not plan.writes:
        return _tell(app, held, f"{sentence}; the policy's steps do not close it: close it by hand", also)
    ruling = ruling_on(held.incident, policy, confirmed, around, plan, readings, drift=sentence)
    if ruling.word in ("wait", "stop"):
        bars = "; ".join(cap.reason for cap in ruling.caps if cap.kind == "bar")
        return _tell(app, held, f"{sentence}; it is not asked whether to close it again: {bars}", also)
    return ask(app, held, policy, plan, ruling.caps, around, f"{sentence}; close it again?", also=also)
