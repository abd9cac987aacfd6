"""What Firebreak remembers: incidents, standing containments and the halt, each one document under compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.bounds import fitted
from core.codec import Unreadable, decode, encode
from core.errors import Refused, Transient
from core.finding import Finding
from core.halt import Halt, halt_of
from core.incident import Incident
from core.redaction import safe_texts
from core.seal import Seal, Sealed
from core.standing import Standing
from core.target import Target
from documents import Conflict, Document, Documents, Exists, Index

LEASE_NS = 30 * 1_000_000_000
_HALT_TRIES = 20


class SealFault(Refused):
    """A record's seal is not known to hold; it is neither executed nor released."""


class BrokenSeal(SealFault):
    """A record was changed by somebody without the seal key."""


class NotVerified(SealFault):
    """A record's seal cannot be verified here, where there is no key: it is only looked at."""


@dataclass(frozen=True, slots=True)
class Held:
    """An incident as read or claimed, with the document that a save must replace.

    `joined_ns` is when a further event of its finding first joined it, where such an event claimed it.
    """

    incident: Incident
    document: Document
    joined_ns: int | None = None
    sealed: Sealed = Sealed.HOLDS

    @property
    def joined(self) -> bool:
        """Whether it was claimed by a further event of its finding."""
        return self.joined_ns is not None

    @property
    def claimed_ns(self) -> int:
        """When the event that claimed it was first seen."""
        return self.incident.created_ns if self.joined_ns is None else self.joined_ns


@dataclass(frozen=True, slots=True)
class Ledger:
    """Incidents and standing containments over a document store. `owner` is this process's token."""

    documents: Documents
    owner: str
    now_ns: Callable[[], int]
    seal: Seal

    def claim(self, finding: Finding) -> Held:
        """The incident of this event, owned by us for one lease; raises Transient while somebody else owns it.

        A new event of a finding whose incident is open joins that incident; `joined` says so.
        """
        now = self.now_ns()
        key = f"{finding.name.source}~{finding.name.finding}"
        pointer = self.documents.read("finding", key)
        if pointer and (held := self._joined(str(pointer.body["incident"]), finding)):
            return held
        fresh = Incident(finding.incident_id, "received", now, now, finding).told(now, "firebreak", "received")
        fresh = fitted(replace(fresh, owner=self.owner, lease_until_ns=now + LEASE_NS))
        try:
            document = self.documents.create("incident", fresh.id, self._sealed(fresh), _index(fresh))
            held = Held(fresh, document)
        except Exists:
            held = self._take(fresh.id)
        self._point(pointer, key, held.incident)
        return held

    def knows(self, finding: Finding) -> bool:
        """Whether this event has an incident, of its own or one that it joined."""
        event = finding.incident_id
        return bool(self.documents.read("incident", event) or self.documents.read("event", event))

    def _joined(self, incident_id: str, finding: Finding) -> Held | None:
        """The incident of the same finding that this event joined once, or joins now because it is open.

        Which one is written down: published again when that is settled, the event must not open another.
        """
        event = finding.incident_id
        if event == incident_id or self.documents.read("incident", event):
            return None
        before = self.documents.read("event", event)
        if before is not None:
            return replace(self._take(str(before.body["incident"])), joined_ns=int(before.body["at_ns"]))
        known = self.read(incident_id)
        if known is None or not known.incident.open:
            return None
        held = replace(self._take(incident_id), joined_ns=self.now_ns())
        with suppress(Exists):
            self.documents.create("event", event, {"incident": incident_id, "at_ns": held.joined_ns})
        return held

    def _point(self, pointer: Document | None, key: str, incident: Incident) -> None:
        """Have the finding point to its newest incident, which an event from before does not change."""
        body = {"incident": incident.id}
        if pointer is None:
            with suppress(Exists):
                self.documents.create("finding", key, body)
        elif pointer.body != body:
            other = self.read(str(pointer.body["incident"]))
            if other is None or other.incident.created_ns <= incident.created_ns:
                # Whoever was faster points to an incident of this finding as well; ours is found by its own id.
                with suppress(Conflict):
                    self.documents.replace(pointer, body)

    def _take(self, incident_id: str) -> Held:
        held = self.read(incident_id)
        if held is None:
            message = f"incident {incident_id} cannot be read back"
            raise Transient(message)
        now = self.now_ns()
        theirs = held.incident.owner not in ("", self.owner) and held.incident.lease_until_ns > now
        if theirs:
            message = f"incident {incident_id} is being worked on"
            raise Transient(message)
        return self.save(held, held.incident)

    def save(self, held: Held, incident: Incident) -> Held:
        """Save the incident over the version that was read and extend the lease; raises Conflict."""
        now = self.now_ns()
        owned = replace(incident, owner=self.owner, lease_until_ns=now + LEASE_NS, updated_ns=now)
        return self._replace(held, owned)

    def free(self, held: Held, incident: Incident) -> Held:
        """Save and give the lease up, so that the next delivery or command need not wait for it."""
        given_up = replace(incident, owner="", lease_until_ns=0, updated_ns=self.now_ns())
        return self._replace(held, given_up)

    def _replace(self, held: Held, incident: Incident) -> Held:
        """A record whose seal does not hold keeps it: saving must not make it good, nor spoil it for the right key."""
        incident = fitted(incident)
        body = self._sealed(incident)
        if not held.sealed:
            body["seal"] = held.document.body.get("seal")
        document = self.documents.replace(held.document, body, _index(incident))
        return replace(held, incident=incident, document=document)

    def _sealed(self, incident: Incident) -> dict[str, Any]:
        return {"incident": _stored(incident), "seal": self.seal.sign("incident", _executable(incident))}

    def _opened(self, document: Document) -> Held:
        incident = decode(Incident, document.body.get("incident"))
        sealed = self.seal.checked("incident", _executable(incident), document.body.get("seal"))
        return Held(incident, document, sealed=sealed)

    def take(self, incident_id: str) -> Held | None:
        """Own an incident to act on it for a person; None if there is none, Transient while somebody else owns it."""
        return self._take(incident_id) if self.read(incident_id) else None

    def read(self, incident_id: str) -> Held | None:
        """The incident as saved, or None."""
        document = self.documents.read("incident", incident_id)
        return self._opened(document) if document else None

    def count(self) -> int:
        """How many incidents there are, also those of another version."""
        return self.documents.count("incident")

    def newest(self, limit: int) -> Iterator[Held]:
        """Incidents, last touched first; a record of another version, which cannot be read, is left out."""
        return self._readable(self.documents.newest("incident", limit))

    def _readable(self, documents: Iterator[Document]) -> Iterator[Held]:
        for document in documents:
            try:
                yield self._opened(document)
            except Unreadable:
                continue

    def standing(self, target: str) -> tuple[Standing, Document | None]:
        """What stands on a target, empty if nothing does; raises BrokenSeal, and NotVerified where there is no key."""
        document = self.documents.read("standing", target)
        if document is None:
            return Standing(target), None
        standing = decode(Standing, document.body.get("standing"))
        sealed = self.seal.checked("standing", standing, document.body.get("seal"))
        if sealed is Sealed.UNVERIFIED:
            message = f"the seal of what stands on {target} is not verified here: there is no seal key"
            raise NotVerified(message)
        if standing.target != target or not sealed:
            message = f"the seal of what stands on {target} is broken: restore it by hand"
            raise BrokenSeal(message)
        return standing, document

    def stand(self, standing: Standing, document: Document | None) -> Document:
        """Save what stands, over the version that was read; raises Conflict."""
        body = {"standing": encode(standing), "seal": self.seal.sign("standing", standing)}
        if standing.holds:
            self.look_at(standing.target, self.now_ns())
        if document is not None:
            return self.documents.replace(document, body)
        try:
            return self.documents.create("standing", standing.target, body)
        except Exists:
            message = f"something else came to stand on {standing.target}"
            raise Conflict(message) from None

    def look_at(self, target: str, due_ns: int | None) -> None:
        """Have the sweep look at what stands on a target from then on; None: not any more."""
        index = Index(due_ns=due_ns)
        document = self.documents.read("look", target)
        try:
            if document is None:
                self.documents.create("look", target, {}, index)
            else:
                self.documents.replace(document, {}, index)
        except (Exists, Conflict):
            return

    def about(self, target: str, limit: int) -> Iterator[Held]:
        """Incidents on a target, last touched first."""
        return self._readable(self.documents.about("incident", target, limit))

    def keep_unreadable(self, digest: str) -> None:
        """Record a message that could not be read, once for each content, by its digest alone."""
        try:
            self.documents.create("unreadable", digest, {"at_ns": self.now_ns()})
        except Exists:
            return

    def halted(self) -> str | None:
        """Why everything is halted, or None. A halt that cannot be read counts as set."""
        try:
            halt = self.standing_halt()
        except Transient:
            return "the halt cannot be read, which counts as set"
        return str(halt) if halt else None

    def standing_halt(self) -> Halt | None:
        """The halt that stands, or None; raises Transient where that cannot be read."""
        document = self.documents.read("halt", "halt")
        return halt_of(document.body) if document else None

    def halt(self, reason: str, by: str) -> None:
        """Set the halt, in the place of one that stands."""
        if not reason:
            message = "a halt has a reason"
            raise ValueError(message)
        body = {"reason": reason, "by": by, "at_ns": self.now_ns()}
        for _ in range(_HALT_TRIES):
            document = self.documents.read("halt", "halt")
            try:
                if document is None:
                    self.documents.create("halt", "halt", body)
                else:
                    self.documents.replace(document, body)
            except (Exists, Conflict):
                continue
            return
        message = "others keep changing the halt; try again"
        raise Transient(message)

    def lift(self, halt: Halt, by: str) -> None:
        """Lift this halt and no other; raises Conflict where another one was set meanwhile."""
        document = self.documents.read("halt", "halt")
        if document is None or halt_of(document.body) != halt:
            message = "the halt was changed at this very moment; look again"
            raise Conflict(message)
        self.documents.replace(document, {"reason": "", "by": by, "at_ns": self.now_ns()})


def _stored(incident: Incident) -> dict[str, Any]:
    """The record as it is kept: what only tells, and may quote anybody, is redacted; names of things stay."""
    body: dict[str, Any] = encode(incident)
    telling = {name: safe_texts(body[name]) for name in ("evidence", "verdict", "outcomes", "still_open", "history")}
    if body["decision"]:
        told = {name: safe_texts(body["decision"][name]) for name in ("caps", "trace", "reasons", "suspects_because")}
        telling["decision"] = body["decision"] | told
    return body | telling


def _index(incident: Incident) -> Index:
    target = incident.finding.target
    return Index(due_ns=incident.due_ns, subject=target.key if isinstance(target, Target) else "")


def _executable(incident: Incident) -> tuple[object, ...]:
    """The parts of a record that lead to writes: what the seal covers."""
    return (
        incident.id,
        incident.finding.target,
        incident.plan,
        incident.done,
        incident.release,
        incident.question,
        incident.answer,
        incident.failed_actions,
        incident.unsupported,
        incident.operation,
        *((incident.failed_on,) if incident.failed_on else ()),
    )
