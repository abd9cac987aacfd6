"""What SCC does not hold: whoever forges messages has few incidents open by it, and raises one alert an hour."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from firebreak.core.containment.slots import HOUR_NS
from firebreak.core.errors import Transient
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Conflict
from firebreak.ledger.marks import read_marks, save_marks
from firebreak.response.app import App

MOST_OPEN = 200
_TRIES = 20
_LOOK_AGAIN_NS = 60 * NANOS


@dataclass(frozen=True, slots=True)
class _Unheld:
    """The incidents that wait for SCC to hold their finding.

    Attributes:
        waiting: their ids.
        told_ns: when people were told last, nanoseconds since 1970.
        untold: how many came since then.
        looked_ns: when it was last looked which of them still wait.
    """

    waiting: tuple[str, ...] = ()
    told_ns: int = 0
    untold: int = 0
    looked_ns: int = 0


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whether one more may wait; and how many came since people were told last, or None where they were just now."""

    waits: bool
    untold: int | None


def admit(app: App, incident_id: str = "") -> Admitted:
    """Have one more wait, if there is room; without an id none waits, and it is only told.

    Raises Transient where others keep coming in between.
    """
    now = app.now_ns()
    for _ in range(_TRIES):
        document, marks = read_marks(app.ledger, "unheld")
        known = _known(marks)
        if len(known.waiting) >= MOST_OPEN and now - known.looked_ns >= _LOOK_AGAIN_NS:
            still = tuple(one for one in known.waiting if _still_waits(app, one))
            known = replace(known, waiting=still, looked_ns=now)
        told, room = not 0 <= now - known.told_ns < HOUR_NS, bool(incident_id) and len(known.waiting) < MOST_OPEN
        new = replace(
            known,
            waiting=(*known.waiting, incident_id) if room else known.waiting,
            told_ns=now if told else known.told_ns,
            untold=0 if told else known.untold + 1,
        )
        with suppress(Conflict):
            save_marks(app.ledger, "unheld", document, {**asdict(new), "waiting": [*new.waiting]})
            return Admitted(room, known.untold if told else None)
    message = "others keep telling of findings that SCC does not hold at this very moment"
    raise Transient(message)


def _known(marks: Mapping[str, Any]) -> _Unheld:
    """What is kept; nothing where that is not what this module keeps: it only bounds what is told."""
    waiting = marks.get("waiting")
    numbers = {name: one for name in ("told_ns", "untold", "looked_ns") if type(one := marks.get(name)) is int}
    ids = tuple(one for one in waiting if isinstance(one, str)) if isinstance(waiting, list) else ()
    return _Unheld(ids, **numbers)


def _still_waits(app: App, incident_id: str) -> bool:
    held = app.ledger.read(incident_id)
    return held is not None and held.incident.phase == "deferred"
