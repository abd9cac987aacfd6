"""What Firebreak remembers: incidents, active containments and the halt, each one document under compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.halt import Halt
from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.core.serialization import decode, encode
from firebreak.core.signing import NoKey, Seal, Sealed
from firebreak.core.stored_body import Place, keep_unverified, seal_body
from firebreak.ledger.documents import Conflict, Damaged, Document, Documents, Exists, Index, Save, even_damaged
from firebreak.ledger.halts import Halts
from firebreak.ledger.records import (
    NotActedOn,
    StoredIncident,
    UnreadableRecord,
    incident_json,
    index_of,
    newer,
    open_incident,
    open_standing,
    unreadable,
)

LEASE_NS = 30 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Ledger:
    """Incidents and active containments over a document store. `owner` is this process's token."""

    documents: Documents
    owner: str
    now_ns: Callable[[], int]
    seal: Seal

    def claim(self, finding: Finding, over: Document | None = None) -> StoredIncident:
        """The incident of this event, owned by us for one lease; raises Transient while somebody else owns it.

        A new event of a finding whose incident is open joins that incident; `joined` says so. Raises UnreadableRecord,
        and is to be called once more with what was set aside as `over`, where the event's own incident cannot be read;
        and NewerRecord where the incident is a newer version's.
        """
        now = self.now_ns()
        key = f"{finding.name.source}~{finding.name.finding}"
        pointer = even_damaged(lambda: self.documents.read("finding", key))
        if pointer and (held := self._joined(str(pointer.body.get("incident")), finding)):
            return held
        told = "received; its earlier record cannot be read and was set aside" if over else "received"
        fresh = Incident(finding.incident_id, "received", now, now, finding).with_history(now, "firebreak", told)
        fresh = fit_to_size_limit(replace(fresh, owner=self.owner, lease_until_ns=now + LEASE_NS))
        body, index = self._body(fresh, {}), index_of(fresh)
        try:
            document = (
                self.documents.replace(over, body, index)
                if over
                else self.documents.create("incident", fresh.id, body, index)
            )
            held = StoredIncident(fresh, document)
        except Exists:
            held = self._take(fresh.id)
        self._point(pointer, key, held.incident)
        return held

    def knows(self, finding: Finding) -> bool:
        """Whether this event has an incident, of its own or one that it joined; what cannot be read does not count."""
        event = finding.incident_id
        try:
            return bool(self.find(event) or even_damaged(lambda: self.documents.read("event", event)))
        except NotActedOn as fault:
            return not isinstance(fault, UnreadableRecord)

    def _joined(self, incident_id: str, finding: Finding) -> StoredIncident | None:
        """The incident of the same finding that this event joined once, or joins now because it is open.

        Which one is written down: published again when that is settled, the event must not open another. An incident
        that cannot be read is joined by nothing.
        """
        event = finding.incident_id
        if event == incident_id or even_damaged(lambda: self.documents.read("incident", event)):
            return None
        before = even_damaged(lambda: self.documents.read("event", event))
        if before is not None and type(before.body.get("at_ns")) is int:
            with suppress(UnreadableRecord):
                known = self.find(str(before.body.get("incident")))
                if known is not None and _of(known, finding):
                    return replace(self._take(known.incident.id), joined_ns=before.body["at_ns"])
        try:
            known = self.find(incident_id)
        except UnreadableRecord:
            return None
        if known is None or not known.incident.open or not _of(known, finding):
            return None
        held = replace(self._take(incident_id), joined_ns=self.now_ns())
        with suppress(Exists):
            self.documents.create("event", event, {"incident": incident_id, "at_ns": held.joined_ns})
        return held

    def _point(self, pointer: Document | None, key: str, incident: Incident) -> None:
        """Have the finding point to its newest incident; an incident older than that one changes nothing."""
        body = {"incident": incident.id}
        if pointer is None:
            with suppress(Exists):
                self.documents.create("finding", key, body)
        elif pointer.body != body:
            other = self.read(str(pointer.body.get("incident")))
            if other is None or other.incident.created_ns <= incident.created_ns:
                # Whoever was faster points to an incident of this finding as well; ours is found by its own id.
                with suppress(Conflict):
                    self.documents.replace(pointer, body)

    def _take(self, incident_id: str) -> StoredIncident:
        held = self.find(incident_id)
        if held is None:
            message = f"incident {incident_id} cannot be read back"
            raise Transient(message)
        now = self.now_ns()
        theirs = held.incident.owner not in ("", self.owner) and held.incident.lease_until_ns > now
        if theirs and held.acts:
            message = f"incident {incident_id} is being worked on"
            raise Transient(message)
        return self.save(held, held.incident)

    def save(self, held: StoredIncident, incident: Incident, *others: Save) -> StoredIncident:
        """Save the incident over the version that was read and extend the lease; raises Conflict or NewerRecord."""
        now = self.now_ns()
        owned = replace(incident, owner=self.owner, lease_until_ns=now + LEASE_NS, updated_ns=now)
        if others:
            self.documents.commit(list(others))
        return self._replace(held, owned)

    def standing_at(self, key: str):
        return self._standing(key)

    def standing_save(self, standing: Standing, document: Document | None) -> Save:
        place, before = Place("standing", standing.target), document.body if document else {}
        body = seal_body(place, encode(standing), self.seal, before)
        if standing.holds:
            self.schedule_drift_check(standing.target, self.now_ns())
        return Save("standing", standing.target, body, Index(subject=standing.uid), document)

    def hear(self, finding: Finding, over: Document | None = None) -> str:
        held = self.claim(finding, over)
        try:
            self.documents.create(
                "event",
                finding.incident_id + "!",
                {"incident": held.incident.id, "at_ns": self.now_ns(), "finding": encode(finding)},
                Index(subject=held.incident.id),
            )
        except Exists:
            pass
        return held.incident.id

    def events_of(self, incident_id: str):
        found = [
            SimpleNamespace(
                id=one.key[:-1],
                incident=incident_id,
                seen_ns=one.body["at_ns"],
                finding=decode(Finding, one.body["finding"]),
            )
            for one in self.documents.about("event", incident_id, 100)
        ]
        return tuple(sorted(found, key=lambda one: one.seen_ns))

    def release_lease(self, held: StoredIncident, incident: Incident) -> StoredIncident:
        """Save and release the lease, so that the next delivery or command need not wait for it."""
        given_up = replace(incident, owner="", lease_until_ns=0, updated_ns=self.now_ns())
        return self._replace(held, given_up)

    def _replace(self, held: StoredIncident, incident: Incident) -> StoredIncident:
        """Save over the version that was read. A broken seal stays broken: saving must not make the record valid."""
        if not held.acts:
            raise newer(held.document)
        if held.sealed is Sealed.UNVERIFIED:
            raise NoKey
        incident, before = fit_to_size_limit(incident), held.document.body
        body = self._body(incident, before) if held.sealed else keep_unverified(incident_json(incident), before)
        document = self.documents.replace(held.document, body, index_of(incident))
        return replace(held, incident=incident, document=document)

    def _body(self, incident: Incident, before: Mapping[str, Any]) -> dict[str, Any]:
        return seal_body(Place("incident", incident.id), incident_json(incident), self.seal, before)

    def take(self, incident_id: str) -> StoredIncident | None:
        """Own an incident to act on it; None if there is none, Transient while somebody else owns it.

        Raises NotActedOn where it cannot be read, or is a newer version's.
        """
        return self._take(incident_id) if self.find(incident_id) else None

    def find(self, incident_id: str) -> StoredIncident | None:
        """The incident as saved, or None; raises NotActedOn where it cannot be read."""
        try:
            document = self.documents.read("incident", incident_id)
        except Damaged as fault:
            raise unreadable(fault.document, "it is damaged", fault.text) from None
        return open_incident(document, self.seal) if document else None

    def read(self, incident_id: str) -> StoredIncident | None:
        """The incident as saved, or None, also where it cannot be read."""
        try:
            return self.find(incident_id)
        except NotActedOn:
            return None

    def count(self) -> int:
        """How many incidents there are, also those of another version."""
        return self.documents.count("incident")

    def newest(self, limit: int) -> Iterator[StoredIncident]:
        """Incidents, last touched first; what cannot be read is left out."""
        return (one for one in self.listed(limit) if isinstance(one, StoredIncident))

    def listed(self, limit: int) -> Iterator[StoredIncident | NotActedOn]:
        """Incidents, last touched first, and among them why one cannot be read."""
        return (self._listed(one) for one in self.documents.newest("incident", limit))

    def about(self, target: str, limit: int) -> Iterator[StoredIncident]:
        """Incidents on a target, last touched first; those that cannot be read are left out."""
        found = (self._listed(one) for one in self.documents.about("incident", target, limit))
        return (one for one in found if isinstance(one, StoredIncident))

    def _listed(self, document: Document) -> StoredIncident | NotActedOn:
        try:
            return open_incident(document, self.seal)
        except NotActedOn as fault:
            return fault

    def standing(self, target: Target, uid: str = "") -> tuple[Standing, Document | None]:
        return self._standing(target.key)

    def _standing(self, target: str) -> tuple[Standing, Document | None]:
        """What is contained on a target, and its document, or None; raises NotActedOn if the record is unusable."""
        try:
            document = self.documents.read("standing", target)
        except Damaged as fault:
            raise unreadable(fault.document, "it is damaged", fault.text) from None
        return (open_standing(document, self.seal), document) if document else (Standing(target), None)

    def save_standing(self, standing: Standing, document: Document | None) -> Document:
        """Save what is contained on a target over the version that was read; raises Conflict."""
        place, before = Place("standing", standing.target), document.body if document else {}
        body = seal_body(place, encode(standing), self.seal, before)
        if standing.holds:
            self.schedule_drift_check(standing.target, self.now_ns())
        if document is not None:
            return self.documents.replace(document, body)
        return self.documents.create("standing", standing.target, body)

    def schedule_drift_check(self, target: str, due_ns: int | None) -> None:
        """Have the sweep check this target for drift at `due_ns` (nanoseconds since 1970); None ends the checks."""
        document = even_damaged(lambda: self.documents.read("look", target))
        with suppress(Conflict):
            self.documents.commit([Save("look", target, {}, Index(due_ns=due_ns), document)])

    def keep_unreadable(self, digest: str) -> None:
        """Record a message that could not be read, once for each content, by its digest alone."""
        try:
            self.documents.create("unreadable", digest, {"at_ns": self.now_ns()})
        except Exists:
            return

    @property
    def _halts(self) -> Halts:
        return Halts(self.documents, self.now_ns)

    def halt_reason(self) -> str | None:
        """Why everything is halted, as a sentence; None if it is not. A halt that cannot be read counts as set."""
        return self._halts.halt_reason()

    def read_halt(self) -> Halt | None:
        """The halt that stands, or None; raises Transient where that cannot be read."""
        return self._halts.standing_halt()

    def halt(self, reason: str, by: str) -> None:
        """Set the halt, in the place of one that stands."""
        self._halts.halt(reason, by)

    def lift(self, halt: Halt, by: str) -> None:
        """Lift this halt and no other; raises Conflict where another one was set meanwhile."""
        self._halts.lift(halt, by)


def _of(held: StoredIncident, finding: Finding) -> bool:
    """Whether an incident is about this finding: what leads there is not sealed, and may lead anywhere."""
    mine, theirs = finding.name, held.incident.finding.name
    return (mine.source, mine.finding) == (theirs.source, theirs.finding)
