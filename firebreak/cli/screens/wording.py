"""Parts of a record in words. Records are shortened when they grow too large, so that any part may be missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from firebreak.core.first_few import first_few
from firebreak.core.incidents.incident import REFUSED_ANNOUNCEMENT
from firebreak.core.timestamps import NANOS, parse_instant

Record = Mapping[str, Any]
_SIZES = ((86_400, "d"), (3600, "h"), (60, "min"))


def part(value: object) -> Record:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> list[Record]:
    """The objects of a list; a shortened list ends in a text, which is left out."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """What a list holds, as texts, that it was shortened included."""
    return [word(one) for one in value] if isinstance(value, list) else []


def word(value: object) -> str:
    """A setting or a fact as a person would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return f"[{', '.join(word(one) for one in value)}]"
    return "(not set)" if value is None else str(value) or "(empty)"


def brief(value: object, most: int = 2) -> str:
    """The same, of a list only the first few."""
    if not isinstance(value, list) or len(value) <= most:
        return word(value)
    return f"[{', '.join(first_few([word(one) for one in value], most))}]"


def span(seconds: float) -> str:
    """A length of time that a tired person reads at once: `40 s`, `12 min`, `3 h`, `2 d`."""
    for size, unit in _SIZES:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def since(instant: object, now_ns: int) -> float:
    """Seconds from an RFC 3339 time until now; 0 if it is none."""
    try:
        return (now_ns - parse_instant(str(instant))) / NANOS
    except ValueError:
        return 0.0


def clock(instant: object, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """An RFC 3339 time to the second, in UTC."""
    try:
        seconds = parse_instant(str(instant)) // NANOS
    except ValueError:
        return str(instant)
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime(form)


def moment(instant: object) -> str:
    """The time in UTC, and beside it what a clock here shows, where that is another: for who compares both."""
    here = local(instant)
    return f"{clock(instant)} UTC{f' ({here})' if here else ''}"


def local(instant: object, form: str = "%H:%M:%S %Z") -> str:
    """An RFC 3339 time in the time zone of this machine; empty where that is UTC."""
    try:
        seconds = parse_instant(str(instant)) // NANOS
    except ValueError:
        return ""
    here = dt.datetime.fromtimestamp(seconds, tz=dt.UTC).astimezone()
    return here.strftime(form) if here.utcoffset() else ""


def where(record: Record) -> str:
    """The workload in words, or why there is none."""
    target = part(part(record.get("finding")).get("target"))
    if not target.get("resource"):
        return str(target.get("reason") or "a workload that the shortened record does not name")
    kind = str(target.get("kind", "")).replace("_", " ")
    return f"{kind} {target.get('name')}, project {_project(target)}, {target.get('location')}"


def place(record: Record) -> str:
    """The workload in one word, for a table: `project/location/name`."""
    target = part(part(record.get("finding")).get("target"))
    if not target.get("resource"):
        return "-"
    return f"{_project(target)}/{target.get('location')}/{target.get('name')}"


def _project(target: Record) -> str:
    return str(target.get("project_id") or target.get("project"))


def category(record: Record) -> str:
    """What was found."""
    return str(part(record.get("finding")).get("category") or "a finding")


def last_event(record: Record) -> str:
    """What happened last to the incident, whatever its channels refused since."""
    said = [str(one.get("what", "")) for one in rows(record.get("history"))]
    return next((what for what in reversed(said) if REFUSED_ANNOUNCEMENT not in what), "")
