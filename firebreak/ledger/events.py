"""Events as they are told: each is kept once, as a sealed document, and belongs to one incident of its finding."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.event import told_event
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.core.serialization import Unreadable, decode
from firebreak.core.signing import Sealed
from firebreak.core.stored_body import Place
from firebreak.ledger.documents import Conflict, Document, Index, Save, even_damaged
from firebreak.ledger.incidents import Incidents, as_saved
from firebreak.ledger.records import (
    LEASE_NS,
    BrokenSeal,
    NotActedOn,
    Record,
    StoredIncident,
    UnreadableRecord,
    unreadable,
)

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
        return self._heard(finding, over).incident.id

    def claim(self, finding: Finding, over: Document | None = None) -> StoredIncident:
        """Keep this event, once, and own its incident; raises as `hear` and `take` do."""
        held = self._heard(finding, over, self.owner)
        return held if held.fresh else self.own(held)

    def _heard(self, finding: Finding, over: Document | None, owner: str = "") -> StoredIncident:
        for _ in range(_TRIES):
            belongs, told = self._told(finding.incident_id)
            if over is not None:
                return self._tell(finding, told, owner, over=over)
            if known := self._incident_of(finding, belongs):
                return known
            with suppress(Conflict):
                return self._tell(finding, told, owner)
        message = f"others keep telling of finding {finding.name.finding} at this very moment"
        raise Transient(message)

    def incident_with(self, finding: Finding) -> StoredIncident | None:
        """The incident that has this event, its own or one that it joined; None if none has that is believed.

        Raises NewerRecord.
        """
        with suppress(*_NOT_BELIEVED):
            return self._incident_of(finding, self._told(finding.incident_id)[0])
        return None

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
            moved, told = self._told(event.id)
            if moved and moved != event.incident:
                return moved
            with suppress(Conflict):
                return self._tell(event.finding, told, seen_ns=event.seen_ns, ended=event.incident).incident.id
        message = f"others keep moving event {event.id} at this very moment"
        raise Transient(message)

    def _incident_of(self, finding: Finding, belongs: str) -> StoredIncident | None:
        """The incident that this event belongs to, by what was kept of it or because it began it."""
        own = finding.incident_id
        for known in dict.fromkeys((belongs or own, own)):
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
                return held
        return None

    def _told(self, event_id: str) -> tuple[str, Document | None]:
        """The incident that this event is kept for, empty where none is, and the document that says so.

        Up to 41af992 nobody sealed that, and it may lead anywhere.
        """
        floor = self.floors.of(Place("event", event_id).name)
        document = even_damaged(lambda: self.documents.read("event", event_id))
        if document and "format" not in document.body:
            return str(document.body.get("incident", "")), document
        with suppress(*_NOT_BELIEVED):
            return event_in(self.sealed.opened(document, floor)).incident if document else "", document
        return "", document

    def _tell(
        self,
        finding: Finding,
        told: Document | None,
        owner: str = "",
        *,
        over: Document | None = None,
        seen_ns: int | None = None,
        ended: str = "",
    ) -> StoredIncident:
        """Keep the event, over what was told of it, for the open incident of its finding or for one that it begins."""
        now, own, saves = self.now_ns(), finding.incident_id, list[Save]()
        pointed = f"{finding.name.source}~{finding.name.finding}"
        pointer = even_damaged(lambda: self.documents.read("finding", pointed))
        joined = self._open_incident(pointer, finding, ended) if over is None else None
        said = "received; its earlier record cannot be read and was set aside" if over else "received"
        seen_ns = now if seen_ns is None else seen_ns
        fresh = Incident(own, "received", now, now, finding, events=(told_event(finding, seen_ns),))
        fresh = replace(fresh, owner=owner, lease_until_ns=now + LEASE_NS if owner else 0)
        fresh, encoded = fit_to_size_limit(fresh.with_history(now, "firebreak", said))
        if joined is None:
            saves.append(replace(self.incident_save(fresh, encoded, over), anew=True))
            saves.append(Save("finding", pointed, {"incident": own}, over=pointer))
        belongs = joined.incident.id if joined else own
        body = {"incident": belongs, "seen_ns": seen_ns, "finding": encoded["finding"]}
        saves.append(Save("event", own, body, Index(subject=belongs), told, anew=True))
        (saved, value), *_ = self._save(*saves)
        return joined or as_saved(StoredIncident(fresh, saved, fresh=over is None), fresh, saved, value)

    def _open_incident(self, pointer: Document | None, finding: Finding, ended: str) -> StoredIncident | None:
        """The finding's newest incident, if that is open, has room and is believed. What leads there is not sealed."""
        known = str(pointer.body.get("incident")) if pointer else ""
        with suppress(*_NOT_BELIEVED):
            held = self.find(known) if known not in ("", ended) else None
            joinable = held and held.incident.open and not held.incident.full
            if held and joinable and held.sealed is not Sealed.BROKEN and is_about(held, finding):
                return held
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
