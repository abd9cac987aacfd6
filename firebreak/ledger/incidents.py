"""Incidents in the ledger: owned for a lease, saved by compare-and-set, with what changes in the same step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.errors import Transient
from firebreak.core.incidents.earlier import Neighbour
from firebreak.core.incidents.earlier_formats import with_told_events
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.core.signing import NoKey, Seal, Sealed
from firebreak.core.stored_body import FORMAT, Place, keep_unverified
from firebreak.ledger.documents import Document, Documents, Index, Save
from firebreak.ledger.neighbours import Neighbours
from firebreak.ledger.records import (
    LEASE_NS,
    BrokenSeal,
    NotActedOn,
    StoredIncident,
    incident_in,
    incident_json,
    index_of,
    newer,
)
from firebreak.ledger.sealed import Floors, SealedDocuments

_MOST_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class Incidents:
    """The incidents of a store of documents.

    Attributes:
        documents: The store.
        owner: This process's token.
        now_ns: The clock, in nanoseconds since 1970.
        seal: The keys; without one, nothing read here is verified.
        floors: The lowest counters that are known; copies under other owners share it.
        neighbours: What incidents tell others of their target; copies under other owners share it.
    """

    documents: Documents
    owner: str
    now_ns: Callable[[], int]
    seal: Seal
    floors: Floors = field(default_factory=Floors, repr=False, compare=False)
    neighbours: Neighbours = field(default_factory=Neighbours, repr=False, compare=False)

    @property
    def sealed(self) -> SealedDocuments:
        """What it is kept in, with its seals."""
        return SealedDocuments(self.documents, self.seal, self.floors, self.now_ns)

    def take(self, incident_id: str) -> StoredIncident | None:
        """Own an incident to act on it; None if there is none, Transient while somebody else owns it.

        Raises NotActedOn where it cannot be read, or is a newer version's.
        """
        held = self.find(incident_id)
        return self.own(held) if held else None

    def own(self, held: StoredIncident) -> StoredIncident:
        """Own an incident that was read; raises as `take` does."""
        if self._theirs(held.incident) and held.acts:
            message = f"incident {held.incident.id} is being worked on"
            raise Transient(message)
        return self.save(held, held.incident)

    def find(self, incident_id: str) -> StoredIncident | None:
        """The incident as saved, or None; raises NotActedOn where it cannot be read, or was deleted."""
        record = self.sealed.read(Place("incident", incident_id))
        if record is None:
            return None
        held = incident_in(record, self.now_ns())
        if record.opened.format == FORMAT or not (held.sealed and held.incident.open):
            return held
        told = [(one.key, one.body) for one in self.documents.newest("event", _MOST_TOLD)]
        mine = [
            (key, at)
            for key, body in told
            if body.get("incident") == incident_id and type(at := body.get("at_ns")) is int
        ]
        return replace(held, incident=with_told_events(held.incident, mine))

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
        return self._each(self.documents.newest("incident", limit))

    def due(self, limit: int) -> Iterator[StoredIncident | NotActedOn]:
        """Incidents that are due, the longest due first, and among them why one cannot be read."""
        return self._each(self.documents.due("incident", self.now_ns(), limit))

    def about(self, target: Target, limit: int) -> Iterator[tuple[str, Neighbour | NotActedOn]]:
        """Incidents on a target that tell others anything, by id, under every name of its project that is known.

        Last touched first, and among them why one cannot be read.
        """
        sealed = self.sealed
        floors = self.floors.now()
        for key in target.keys:
            for one in self.documents.about("incident", key, limit):
                yield one.key, self.neighbours.of(one, floors, sealed.opened)

    def _each(self, found: Iterator[Document]) -> Iterator[StoredIncident | NotActedOn]:
        for record in self.sealed.each(found):
            try:
                yield record if isinstance(record, NotActedOn) else incident_in(record, self.now_ns())
            except NotActedOn as fault:
                yield fault

    def save(self, held: StoredIncident, incident: Incident, *others: Save) -> StoredIncident:
        """Save the incident over the version that was read, others in the same commit, and extend the lease.

        Raises Conflict, which names the record that was in the way, NewerRecord, NoKey, and BrokenSeal where others
        would be saved beside an incident whose seal does not hold.
        """
        now = self.now_ns()
        owned = replace(incident, owner=self.owner, lease_until_ns=now + LEASE_NS, updated_ns=now)
        return self._replace(held, owned, *others)

    def save_again(self, held: StoredIncident) -> StoredIncident:
        """Save what is held once a save has failed: over what is there if that is ours, and its answer was lost."""
        there = self.find(held.incident.id)
        if there is None or there.incident.owner != self.owner:
            return self.save(held, held.incident)
        return self.save(there, replace(held.incident, floors=there.incident.floors))

    def release_lease(self, held: StoredIncident, incident: Incident) -> StoredIncident:
        """Save and release the lease, so that the next delivery or command need not wait for it."""
        given_up = replace(incident, owner="", lease_until_ns=0, updated_ns=self.now_ns())
        return self._replace(held, given_up)

    def sign(self, incident_id: str) -> bool:
        """Save an incident as it is, in today's format and with the first key; not one that somebody works on."""
        held = self.find(incident_id)
        if held is None or not held.sealed or self._theirs(held.incident):
            return False
        self._replace(held, held.incident)
        return True

    def _theirs(self, incident: Incident) -> bool:
        """Whether somebody else is at work."""
        return incident.owner not in ("", self.owner) and incident.lease_until_ns > self.now_ns()

    def _replace(self, held: StoredIncident, incident: Incident, *others: Save) -> StoredIncident:
        """Save over the version that was read. A broken seal stays broken: saving must not make the record valid."""
        if not held.acts:
            raise newer(held.document)
        if held.sealed is Sealed.UNVERIFIED:
            raise NoKey
        incident, encoded = fit_to_size_limit(incident)
        if held.sealed:
            document, value = self._save(self.incident_save(incident, encoded, held.document), *others)[0]
            return as_saved(held, incident, document, value)
        if others:
            message = f"the seal of incident {incident.id} is broken: nothing is saved for it but its own story"
            raise BrokenSeal(message, held.document)
        body = keep_unverified(incident_json(encoded), held.document.body)
        document = self.documents.replace(held.document, body, index_of(incident))
        return replace(held, incident=incident, document=document)

    def incident_save(self, incident: Incident, encoded: dict[str, Any], over: Document | None) -> Save:
        """What is to be saved of an incident, which is encoded once, over the version that was read."""
        places = {Place("standing", target.key).name: 0 for target in incident.targets}
        body = {**incident_json(encoded), "floors": {**places, **incident.floors}}
        return Save("incident", incident.id, body, index_of(incident), there(over))

    def commit(self, *saves: Save) -> list[Document]:
        """Save what has to be saved together, all or none; raises as `save` does."""
        return [document for document, _ in self._save(*saves)]

    def _save(self, *saves: Save) -> list[tuple[Document, Mapping[str, Any]]]:
        held = [one.key for one in saves if one.kind == "standing" and one.body.get("holds")]
        return self.sealed.commit(*saves, *(_look(one, self.now_ns()) for one in held))

    def schedule_drift_check(self, target: str, due_ns: int | None) -> None:
        """Have the sweep check this target for drift at `due_ns` (nanoseconds since 1970); None ends the checks."""
        self.documents.commit([_look(target, due_ns)])


def as_saved(held: StoredIncident, incident: Incident, document: Document, value: Mapping[str, Any]) -> StoredIncident:
    """What is held once the incident was saved as this document, with what was sealed in it."""
    return replace(held, incident=replace(incident, floors=MappingProxyType(value["floors"])), document=document)


def _look(target: str, due_ns: int | None) -> Save:
    return Save("look", target, {}, Index(due_ns=due_ns), whatever=True)


def there(document: Document | None) -> Document | None:
    """The document to save over: the one of a record that is gone is none."""
    return document if document and document.version else None
