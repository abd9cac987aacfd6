"""The ledger's records as they are read: an incident, what stands on a target, or why neither is acted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Standing
from firebreak.core.errors import Refused
from firebreak.core.incidents.incident import Incident
from firebreak.core.secrets.redaction import safe_texts
from firebreak.core.serialization import Unreadable, decode, encode
from firebreak.core.signing import Seal, Sealed
from firebreak.core.stored_body import FORMAT, OpenedBody, Place, may_act, open_body
from firebreak.ledger.documents import Document, Index

BY_HAND = "the lines that `firebreak incident show` ends with"
_THEN = f"it is not overwritten. Restore by hand with {BY_HAND}; docs/operations.md says how to clear it"


class NotActedOn(Refused):
    """A record that this version neither executes nor restores, and never writes over; `document` is what is there."""

    def __init__(self, text: str, document: Document, damaged: str | None = None) -> None:
        """`damaged` is the text that stands where a body should."""
        super().__init__(text)
        self.document = document
        self.damaged = damaged

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.document.kind, self.document.key)


class BrokenSeal(NotActedOn):
    """A record was changed by somebody without the seal key."""


class NotVerified(NotActedOn):
    """A record's seal cannot be verified here, where there is no key: it is only looked at."""


class NewerRecord(NotActedOn):
    """A record names a later version as the oldest that may act on it."""


class UnreadableRecord(NotActedOn):
    """A record is damaged, or not what its kind is made of."""


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident as read or claimed, with the document that a save must replace.

    `joined_ns` is when a further event of its finding first joined it, where such an event claimed it. `sealed` says
    what is known of its seal, `acts` whether this version may act on it: where it may not, it is shown as far as it can
    be read, and never saved.
    """

    incident: Incident
    document: Document
    joined_ns: int | None = None
    sealed: Sealed = Sealed.HOLDS
    acts: bool = True

    @property
    def joined(self) -> bool:
        """Whether it was claimed by a further event of its finding."""
        return self.joined_ns is not None

    @property
    def claimed_ns(self) -> int:
        """When the event that claimed it was first seen."""
        return self.incident.created_ns if self.joined_ns is None else self.joined_ns


def open_incident(document: Document, seal: Seal) -> StoredIncident:
    """The incident in a document; raises UnreadableRecord, and NewerRecord where not even a look at it is possible."""
    opened = _open(document, seal)
    try:
        incident = decode(Incident, opened.value, as_far_as_known=not opened.acts)
    except Unreadable as fault:
        if not opened.acts:
            raise newer(document) from None
        raise unreadable(document, str(fault)) from None
    sealed = opened.sealed if incident.id == document.key else Sealed.BROKEN
    return StoredIncident(incident, document, sealed=sealed, acts=opened.acts)


def open_standing(document: Document, seal: Seal) -> Standing:
    """What stands, as a document says it; raises NotActedOn."""
    opened = _open(document, seal)
    if not opened.acts:
        raise newer(document)
    if opened.sealed is Sealed.UNVERIFIED:
        message = f"the seal of the containment of {document.key} is not verified here: there is no seal key"
        raise NotVerified(message, document)
    if not opened.sealed:
        message = f"the seal of the containment of {document.key} is broken: {_THEN}"
        raise BrokenSeal(message, document)
    try:
        standing = decode(Standing, opened.value)
    except Unreadable as fault:
        raise unreadable(document, str(fault)) from None
    if standing.target != document.key:
        raise unreadable(document, f"it is about {standing.target}")
    return standing


def _open(document: Document, seal: Seal) -> OpenedBody:
    try:
        return open_body(Place(document.kind, document.key), document.body, seal)
    except Unreadable as fault:
        if not may_act(document.body):
            raise newer(document) from None
        raise unreadable(document, str(fault)) from None


def unreadable(document: Document, why: str, damaged: str | None = None) -> UnreadableRecord:
    """The fault of a record that this version cannot read."""
    place = Place(document.kind, document.key)
    then = "it is set aside" if place.kind == "incident" else _THEN
    return UnreadableRecord(f"{place} cannot be read ({why}): {then}", document, damaged)


def newer(document: Document) -> NewerRecord:
    """The fault of a record that this version must not act on."""
    found, acts_from = document.body.get("format"), document.body.get("acts_from")
    return NewerRecord(
        f"{Place(document.kind, document.key)} was saved in format {found}, on which only versions that know format"
        f" {acts_from} may act; this one knows format {FORMAT}: nothing was done, and it is not overwritten. Deploy"
        f" the version that saved it again, or undo by hand, by {BY_HAND}",
        document,
    )


def incident_json(incident: Incident) -> dict[str, Any]:
    """The record as it is kept: what only tells, and may quote anybody, is redacted; names of things stay."""
    body: dict[str, Any] = encode(incident)
    telling = {name: safe_texts(body[name]) for name in ("evidence", "verdict", "outcomes", "still_open", "history")}
    if body["decision"]:
        told = {name: safe_texts(body["decision"][name]) for name in ("caps", "trace", "reasons", "suspects_because")}
        telling["decision"] = body["decision"] | told
    return body | telling


def index_of(incident: Incident) -> Index:
    """What the store finds an incident by."""
    target = incident.finding.target
    return Index(due_ns=incident.due_ns, subject=target.key if isinstance(target, Target) else "")
