"""Events as they are told: each is kept once, as a sealed document, and belongs to one incident of its finding."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.core.serialization import Unreadable, decode
from firebreak.core.signing import Sealed
from firebreak.core.stored_body import Place
from firebreak.ledger.documents import Conflict, Document, Index, Save, even_damaged
from firebreak.ledger.incidents import Incidents
from firebreak.ledger.records import BrokenSeal, NotActedOn, Record, StoredIncident, UnreadableRecord, unreadable

_TRIES = 20
_MOST = 1_000
_NOT_BELIEVED = (UnreadableRecord, BrokenSeal)


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """One event as a message told it, and the incident that it belongs to; `seen_ns` is when it was first told."""

    id: str
    incident: str
    seen_ns: int
    finding: Finding
    sealed: Sealed = Sealed.HOLDS


@dataclass(frozen=True, slots=True)
class Events(Incidents):
    """The incidents of a store of documents, and the events that led to them."""

    def hear(self, finding: Finding, over: Document | None = None) -> str:
        """Keep this event, once; the id of its incident, which nobody owns by that.

        That is the one that it belongs to already, else the open one of its finding that has room, else a new one.
        Raises UnreadableRecord or BrokenSeal where the incident that it began cannot be believed: it is to be set
        aside, and this to be called once more with what was there as `over`, to begin it anew; and NewerRecord where
        the incident is a newer version's.
        """
        if over is not None:
            return self._tell(finding, over)
        for _ in range(_TRIES):
            if known := self._incident_of(finding):
                return known
            with suppress(Conflict):
                return self._tell(finding, None)
        message = f"others keep telling of finding {finding.name.finding} at this very moment"
        raise Transient(message)

    def knows(self, finding: Finding) -> bool:
        """Whether this event has an incident, of its own or one that it joined; what is not believed does not count."""
        try:
            return self._incident_of(finding) is not None
        except NotActedOn as fault:
            return not isinstance(fault, _NOT_BELIEVED)

    def events_of(
        self, incident_id: str, set_aside: Callable[[NotActedOn], object] = lambda _: None
    ) -> tuple[HeardEvent, ...]:
        """What was told of this incident, oldest first; each that is not believed is set aside, and left out."""
        found = []
        for record in self.sealed.each(self.documents.about("event", incident_id, _MOST)):
            try:
                event = event_in(record)
            except NotActedOn as fault:
                set_aside(fault)
                continue
            if event.incident == incident_id:
                found.append(event)
        return tuple(sorted(found, key=lambda one: (one.seen_ns, one.id)))

    def event_of(self, finding: Finding) -> HeardEvent | None:
        """This event as it was told first; None where it was not, or is not believed."""
        with suppress(*_NOT_BELIEVED):
            record = self.sealed.read(Place("event", finding.incident_id))
            return event_in(record) if record else None
        return None

    def move_event(self, event: HeardEvent) -> str:
        """Have an event that came to an incident which had just ended, or is full, belong to another; the id of that.

        It is the open incident of its finding, else a new one, which the event begins.
        """
        for _ in range(_TRIES):
            moved = self._event(event.id)
            if moved and moved != event.incident:
                return moved
            with suppress(Conflict):
                return self._tell(event.finding, None, seen_ns=event.seen_ns, ended=event.incident)
        message = f"others keep moving event {event.id} at this very moment"
        raise Transient(message)

    def _incident_of(self, finding: Finding) -> str | None:
        """The incident that this event belongs to, by what was kept of it or because it began it."""
        own = finding.incident_id
        for known in dict.fromkeys((self._event(own) or own, own)):
            try:
                held = self.find(known)
                if held is not None and held.sealed is Sealed.BROKEN:
                    message = f"the seal of incident {known} is broken: it is begun anew"
                    raise BrokenSeal(message, held.document)
            except _NOT_BELIEVED:
                if known == own:
                    raise
                continue
            if held is not None and is_about(held, finding):
                return known
        return None

    def _event(self, event_id: str) -> str | None:
        """The incident that this event is kept for. Up to 41af992 nobody sealed that, and it may lead anywhere."""
        try:
            record = self.sealed.read(Place("event", event_id))
            if record and "format" not in record.document.body:
                return str(record.document.body.get("incident"))
            return event_in(record).incident if record else None
        except _NOT_BELIEVED:
            return None

    def _tell(self, finding: Finding, over: Document | None, *, seen_ns: int | None = None, ended: str = "") -> str:
        """Keep the event for the open incident of its finding, or for one that it begins, in one commit."""
        now, own, saves = self.now_ns(), finding.incident_id, list[Save]()
        pointed = f"{finding.name.source}~{finding.name.finding}"
        pointer = even_damaged(lambda: self.documents.read("finding", pointed))
        incident_id = self._open_incident(pointer, finding, ended) if over is None else None
        told = "received; its earlier record cannot be read and was set aside" if over else "received"
        fresh = Incident(own, "received", now, now, finding).with_history(now, "firebreak", told)
        fresh, encoded = fit_to_size_limit(fresh)
        if incident_id is None:
            incident_id = own
            saves.append(replace(self.incident_save(fresh, encoded, over), anew=True))
            saves.append(Save("finding", pointed, {"incident": own}, over=pointer))
        body = {
            "incident": incident_id,
            "seen_ns": now if seen_ns is None else seen_ns,
            "finding": encoded["finding"],
        }
        document = even_damaged(lambda: self.documents.read("event", own))
        saves.append(Save("event", own, body, Index(subject=incident_id), document, anew=True))
        self.commit(*saves)
        return incident_id

    def _open_incident(self, pointer: Document | None, finding: Finding, ended: str) -> str | None:
        """The finding's newest incident, if that is open, has room and is believed. What leads there is not sealed."""
        known = str(pointer.body.get("incident")) if pointer else ""
        with suppress(*_NOT_BELIEVED):
            held = self.find(known) if known not in ("", ended) else None
            joinable = held and held.incident.open and not held.incident.full
            if held and joinable and held.sealed is not Sealed.BROKEN and is_about(held, finding):
                return known
        return None


def event_in(record: Record | NotActedOn) -> HeardEvent:
    """The event that a record is; raises NotActedOn where it is not believed."""
    if isinstance(record, NotActedOn):
        raise record
    value = record.opened.value if record.opened.sealed is Sealed.UNVERIFIED else record.trusted()
    try:
        finding, seen_ns = decode(Finding, value.get("finding")), decode(int, value.get("seen_ns"))
    except Unreadable as fault:
        raise unreadable(record.document, str(fault)) from None
    return HeardEvent(record.document.key, str(value.get("incident")), seen_ns, finding, record.opened.sealed)


def is_about(held: StoredIncident, finding: Finding) -> bool:
    """Whether an incident is about this finding."""
    mine, theirs = finding.name, held.incident.finding.name
    return (mine.source, mine.finding) == (theirs.source, theirs.finding)
