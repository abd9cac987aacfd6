"""A file of the past that grows: what it holds already, so that pulling goes on where it ended, and lines for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.backtest.course import instant_in
from firebreak.backtest.files import pieces_of
from firebreak.core.cloud_run.target import NotATarget, parse_resource
from firebreak.core.errors import Malformed
from firebreak.core.evidence.redacted_copy import redact
from firebreak.core.findings.finding import Finding, parse_finding_name
from firebreak.core.findings.notification import parse_finding
from firebreak.core.timestamps import NANOS

OVERLAP_NS = 1800 * NANOS
"""Findings are published up to some minutes after the event that they are dated by: so far back is looked again."""


@dataclass(slots=True)
class Known:
    """What a file holds: of each location its latest event and the events shortly before; and incidents as they were.

    Attributes:
        latest: location of SCC to its latest event, nanoseconds since 1970; whoever owns a source dates its events, so
            that none is later than SCC made its finding.
        recent: location to the events that may be listed again, by id.
        incidents: id and time of change of each incident's record.
        events: how many findings it holds.
    """

    latest: dict[str, int] = field(default_factory=dict)
    recent: dict[str, dict[str, int]] = field(default_factory=dict)
    incidents: set[tuple[str, str]] = field(default_factory=set)
    events: int = 0

    def since(self, location: str, since_ns: int) -> int:
        """From when to ask, at the earliest `since_ns`."""
        return max(since_ns, self.latest.get(location, 0) - OVERLAP_NS)

    def take(self, finding: Finding, location: str) -> bool:
        """Whether the event is new; it is known from here on."""
        recent, at, event = self.recent.setdefault(location, {}), finding.event_ns, finding.incident_id
        if event in recent:
            return False
        recent[event] = at
        self.events += 1
        made = instant_in((finding.original or {"finding": {}})["finding"].get("createTime"))
        latest = at if made is None else min(at, made)
        if latest > self.latest.get(location, -1):
            self.latest[location] = latest
            for old in [one for one, when in recent.items() if when < latest - OVERLAP_NS]:
                del recent[old]
        return True

    def take_incident(self, record: Mapping[str, Any]) -> bool:
        """Whether this state of the incident is new; it is known from here on."""
        state = (str(record.get("id")), str(record.get("updated")))
        if state in self.incidents:
            return False
        self.incidents.add(state)
        return True


def known_in(file: str) -> Known:
    """What a file holds that was pulled before; raises OSError."""
    known = Known()
    for piece in pieces_of([file]):
        try:
            value = json.loads(piece.text or b"null")
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "phase" in value:
            known.take_incident(value)
        elif isinstance(value, dict) and (finding := _read(value)):
            known.take(finding, finding.name.location)
    return known


def is_line(text: bytes) -> bool:
    """Whether it may be a line of such a file."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def new_lines(pairs: list[dict[str, Any]], location: str, known: Known) -> Iterator[str]:
    """A line for each pair that is not known yet, redacted. One that is no finding at all is of no use here."""
    for pair in pairs:
        finding = _read(pair)
        if finding is not None and known.take(finding, location):
            yield line_of(_redacted(pair))


def line_of(value: Mapping[str, Any]) -> str:
    """The value on a line of its own."""
    return json.dumps(value, separators=(",", ":")) + "\n"


def _read(pair: Mapping[str, Any]) -> Finding | None:
    try:
        return parse_finding(pair.get("finding") or {}, pair.get("resource") or {})
    except (Malformed, AttributeError):
        return None


def _redacted(pair: Mapping[str, Any]) -> dict[str, Any]:
    """Every secret out; names that have a name's form are never altered, and without them it could not be decided."""
    copy = redact(pair)
    finding, resource = pair["finding"], pair["resource"]
    for key in ("name", "canonicalName"):
        if parse_finding_name(str(finding.get(key))):
            copy["finding"][key] = finding[key]
    for of, told, key in ((copy["finding"], finding, "resourceName"), (copy["resource"], resource, "name")):
        if not isinstance(parse_resource(str(told.get(key))), NotATarget):
            of[key] = told[key]
    return dict(copy)
