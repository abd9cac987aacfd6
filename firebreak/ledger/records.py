"""The ledger's records as they are read: an incident, what stands on a target, or why neither is acted on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Standing
from firebreak.core.errors import Refused
from firebreak.core.incidents.command import IDENTITY
from firebreak.core.incidents.earlier_formats import as_of_today
from firebreak.core.incidents.incident import Incident
from firebreak.core.secrets.redaction import safe_texts
from firebreak.core.serialization import Unreadable, decode
from firebreak.core.signing import Seal, Sealed
from firebreak.core.stored_body import FORMAT, OpenedBody, Place, may_act, open_body
from firebreak.ledger.documents import Document, Index

T = TypeVar("T")
LEASE_NS = 30 * 1_000_000_000
_CLOCKS_APART_NS = 120 * 1_000_000_000
BY_HAND = "the lines that `firebreak incident show` ends with"
_THEN = {
    "standing": f"it is not overwritten. Restore by hand with {BY_HAND}; docs/operations.md says how to clear it",
    "slots": "it counts as used up for an hour",
}
"""What becomes of a record of that kind; of any other it is set aside."""


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

    `sealed` says what is known of its seal, `acts` whether this version may act on it: where it may not, it is shown as
    far as it can be read, and never saved. `fresh` says that it was made just now: nothing else was told of it yet.
    """

    incident: Incident
    document: Document
    sealed: Sealed = Sealed.HOLDS
    acts: bool = True
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A document as it was read, and its body opened; what it says may be acted on only where it is `trusted`."""

    document: Document
    opened: OpenedBody

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.document.kind, self.document.key)

    def trusted(self) -> dict[str, Any]:
        """The record's JSON where its seal holds and this version may act on it; raises NotActedOn."""
        if not self.opened.acts:
            raise newer(self.document)
        if self.opened.sealed is Sealed.UNVERIFIED:
            message = f"the seal of {self.place} is not verified here: there is no seal key"
            raise NotVerified(message, self.document)
        if not self.opened.sealed:
            message = f"the seal of {self.place} is broken: {_then(self.place)}"
            raise BrokenSeal(message, self.document)
        return self.opened.value


def open_record(document: Document, seal: Seal, floor: int = 0) -> Record:
    """The record in a document; a counter below the floor is as a broken seal. Raises UnreadableRecord, NewerRecord."""
    try:
        opened = open_body(Place(document.kind, document.key), document.body, seal)
    except Unreadable as fault:
        if not may_act(document.body):
            raise newer(document) from None
        raise unreadable(document, str(fault)) from None
    if not opened.counter:
        # No version without counters wrote floors: whoever did had no key.
        opened = replace(opened, value={key: one for key, one in opened.value.items() if key != "floors"})
    if opened.sealed and opened.counter < floor:
        opened = replace(opened, sealed=Sealed.BROKEN)
    return Record(document, opened)


def open_incident(document: Document, seal: Seal) -> StoredIncident:
    """The incident in a document; raises UnreadableRecord, and NewerRecord where not even a look at it is possible."""
    return incident_in(open_record(document, seal))


def incident_in(record: Record, now_ns: int = 0) -> StoredIncident:
    """The incident that a record is, as it is now if an earlier version saved it; raises as `open_incident` does.

    `now_ns`: nanoseconds since 1970; 0 where it is only looked at.
    """
    opened, document = record.opened, record.document
    try:
        incident = decode(Incident, opened.value, as_far_as_known=not opened.acts)
    except Unreadable as fault:
        if not opened.acts:
            raise newer(document) from None
        raise unreadable(document, str(fault)) from None
    if incident.id != document.key or not IDENTITY.fullmatch(incident.id):
        raise unreadable(document, "it speaks of another incident, or has a name that none has")
    if opened.sealed and opened.format < FORMAT:
        incident = as_of_today(incident, opened.format, now_ns)
    if now_ns:
        incident = _in_time(incident, now_ns + LEASE_NS + _CLOCKS_APART_NS)
    sealed = opened.sealed
    if sealed is Sealed.UNVERIFIED and opened.format == FORMAT and not _shows_what_it_asks(incident):
        sealed = Sealed.BROKEN
    return StoredIncident(incident, document, sealed=sealed, acts=opened.acts)


def _shows_what_it_asks(incident: Incident) -> bool:
    """Whether the digests that a yes would name are of what the record shows: all that is known without its key."""
    question, release = incident.question, incident.release
    if question and incident.phase in ("waiting", "expired") and not question.is_about(incident.plan):
        return False
    return release is None or release.is_as_shown


def _in_time(incident: Incident, latest_ns: int) -> Incident:
    """The incident under no longer a lease than there is: that is under no seal, and a longer one hides it."""
    if max(incident.lease_until_ns, incident.updated_ns) <= latest_ns:
        return incident
    return replace(incident, owner="", lease_until_ns=0, updated_ns=incident.created_ns)


def standing_in(record: Record | NotActedOn) -> Standing:
    """What stands, as a record says it; raises NotActedOn."""
    if isinstance(record, NotActedOn):
        raise record
    standing = decoded(Standing, record)
    if standing.target != record.document.key:
        raise unreadable(record.document, f"it is about {standing.target}")
    return standing


def decoded(kind: type[T], record: Record) -> T:
    """What a trusted record holds; raises NotActedOn."""
    try:
        return decode(kind, record.trusted())
    except Unreadable as fault:
        raise unreadable(record.document, str(fault)) from None


def gone(place: Place) -> BrokenSeal:
    """The fault of a record that was deleted: others know of it."""
    message = f"{place} was deleted from the ledger, though other records know it: {_then(place)}"
    return BrokenSeal(message, Document(place.kind, place.key, "", {}))


def unreadable(document: Document, why: str, damaged: str | None = None) -> UnreadableRecord:
    """The fault of a record that this version cannot read."""
    place = Place(document.kind, document.key)
    return UnreadableRecord(f"{place} cannot be read ({why}): {_then(place)}", document, damaged)


def _then(place: Place) -> str:
    return _THEN.get(place.kind, "it is set aside")


def newer(document: Document) -> NewerRecord:
    """The fault of a record that this version must not act on."""
    found, acts_from = document.body.get("format"), document.body.get("acts_from")
    return NewerRecord(
        f"{Place(document.kind, document.key)} was saved in format {found}, on which only versions that know format"
        f" {acts_from} may act; this one knows format {FORMAT}: nothing was done, and it is not overwritten. Deploy"
        f" the version that saved it again, or undo by hand, by {BY_HAND}",
        document,
    )


def incident_json(body: dict[str, Any]) -> dict[str, Any]:
    """The encoded record as it is kept: what only tells, and may quote anybody, is redacted; names of things stay."""
    telling = {name: safe_texts(body[name]) for name in ("evidence", "verdict", "outcomes", "still_open", "history")}
    if body["decision"]:
        told = {name: safe_texts(body["decision"][name]) for name in ("caps", "trace", "reasons", "suspects_because")}
        telling["decision"] = body["decision"] | told
    return body | telling


def index_of(incident: Incident) -> Index:
    """What the store finds an incident by; one that nobody confirmed is found by no target, however many are sent."""
    target = incident.finding.target
    subject = target.key if isinstance(target, Target) and incident.believed else ""
    return Index(due_ns=incident.due_ns, subject=subject)
