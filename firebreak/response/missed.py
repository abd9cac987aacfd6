"""Findings that SCC holds active and no incident answers, looked for in SCC's own order: by when they were updated."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.detectors import is_listed
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import Notification
from firebreak.core.policy.triage import NO_ORGANIZATION, NO_POLICY, reason_to_decline
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Conflict, Document
from firebreak.ledger.marks import read_marks, save_marks
from firebreak.ledger.records import NewerRecord
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.confirm import left_open

Note = Callable[[Notification], object]
_FIRST_LOOK_NS = 24 * 3600 * NANOS
_OVERLAP_NS = 1800 * NANOS
"""Findings are published up to some minutes after the event that they are dated by."""
_MOST_UNLISTED = 100
_MOST_OLDER = 100
"""So many of those before the watermark are looked at anew in each sweep: what is unmuted keeps its time."""


@dataclass(slots=True)
class _Way:
    """How far a list was read, and how far all of it is answered; `problem` is what was in the way of that.

    `detectors` are those whose findings are in it, by source, category and module.
    """

    answered_ns: int
    read_ns: int
    read: int = 0
    ended: bool = False
    problem: Exception | None = None
    detectors: set[tuple[str, str, str]] = field(default_factory=set)


def look_for_missed(app: App, location: str, note: Note, deadline: Deadline) -> None:
    """Note every active threat at one location of SCC that no incident answers.

    Those from the watermark on, then a part of those before it, each in its turn. The watermark moves past nothing that
    is not answered. What could not be asked for or noted is raised, after all that could. Without any policy there is
    no look: what is lost meanwhile is found by the first one with policies.
    """
    if not app.policies.policies:
        raise Refused(NO_POLICY)
    organization = app.policies.config.organization
    if organization is None:
        raise Refused(NO_ORGANIZATION)
    document, known = read_marks(app.ledger, _key(location))
    began, marks = app.now_ns(), _marks(app, known)
    since, again = marks["since_ns"], marks["again_ns"]
    half = deadline.sooner(deadline.remaining() / 2)
    noted = partial(_note_unanswered, app, note, marks["first_ns"])
    new = _go_through(app.scc.active_since(organization, location, since, half), since, noted, half)
    all_of_them = app.scc.active_since(organization, location, again, deadline)
    before = itertools.takewhile(lambda one: one.event_ns < since, all_of_them)
    older = _go_through(itertools.islice(before, _MOST_OLDER), again, noted, deadline)
    if new.ended and new.problem is None:
        new.answered_ns = max(since, began - _OVERLAP_NS)
    # Those come round again: what could not be noted has its next turn after all the others.
    reached = 0 if older.ended and older.read < _MOST_OLDER else older.read_ns
    found = _tell(app, location, _told(known), new.detectors | older.detectors)
    _remember(app, location, document, {**marks, "since_ns": new.answered_ns, "again_ns": reached, "unlisted": found})
    if problem := new.problem or older.problem:
        raise problem
    if not new.ended:
        message = "there was no time left for all of them"
        raise Transient(message)


def _go_through(
    listed: Iterator[Finding], begin_ns: int, note_unanswered: Callable[[Finding], object], until: Deadline
) -> _Way:
    """Note what is unanswered, the oldest update first; one that cannot be noted keeps no other from it."""
    way = _Way(begin_ns, begin_ns)
    try:
        for finding in listed:
            if until.passed:
                return way
            way.read, way.read_ns = way.read + 1, finding.event_ns
            way.detectors.add((finding.name.source, finding.category, finding.module))
            _answer(finding, note_unanswered, way)
    except (Refused, Transient) as fault:
        way.problem = way.problem or fault
    else:
        way.ended = True
    return way


def _answer(finding: Finding, note_unanswered: Callable[[Finding], object], way: _Way) -> None:
    try:
        note_unanswered(finding)
    except Exception as fault:  # noqa: BLE001 - raised once all the others had their turn
        way.problem = way.problem or fault
    if way.problem is None:
        way.answered_ns = finding.event_ns


def _note_unanswered(app: App, note: Note, first_ns: int, finding: Finding) -> None:
    """What is older than the first sweep looked for is none of its own; what the ledger left open is, however old.

    What would be declined unread leaves no record, and what a newer version has is answered.
    """
    told = Notification(finding, deleted=False)
    if reason_to_decline(told, app.policies) is not None:
        return
    try:
        held = app.ledger.incident_with(finding)
    except NewerRecord:
        return
    organization = app.policies.config.organization
    if left_open(held.incident, finding, organization) if held else finding.event_ns >= first_ns:
        note(told)


def _marks(app: App, told: Mapping[str, object]) -> dict[str, int]:
    """Where the last looks ended; as at the first one, which is written over it, where that cannot be so."""
    now = app.now_ns()
    since = _instant(told.get("since_ns"), now, now - _FIRST_LOOK_NS)
    first = _instant(told.get("first_ns"), since, min(since, now - _FIRST_LOOK_NS))
    return {"since_ns": since, "first_ns": first, "again_ns": _instant(told.get("again_ns"), since, 0)}


def _instant(value: object, latest: int, otherwise: int) -> int:
    return value if type(value) is int and 0 <= value <= latest else otherwise


def _told(marks: Mapping[str, object]) -> list[str]:
    """The unlisted categories that people were told of."""
    told = marks.get("unlisted")
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []


def _tell(app: App, location: str, told: list[str], seen: set[tuple[str, str, str]]) -> list[str]:
    """Tell of each detector of allowed sources that is not listed once; of so many at most."""
    ours = [(category, module) for source, category, module in seen if source in app.policies.config.sources]
    unlisted = {category for category, module in ours if not is_listed(category, module)}
    new = sorted(one for one in unlisted.difference(told) if not app.policies.names(one))
    new = new[: max(0, _MOST_UNLISTED - len(told))]
    for one in new:
        what = "a detector that this version does not list, and no policy names: only a policy without names matches it"
        app.log("WARNING", f"{what}: {one}", unlisted_detector=one, location=location)
    return [*told, *new]


def _remember(app: App, location: str, document: Document | None, marks: Mapping[str, object]) -> None:
    """Where the next look begins; another sweep that got there first may say so as well."""
    with suppress(Conflict):
        save_marks(app.ledger, _key(location), document, marks)


def _key(location: str) -> str:
    return "findings" if location == "global" else f"findings {location}"
