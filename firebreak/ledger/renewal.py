"""Going through the ledger: what an older key sealed is signed anew, and what its index hides is found.

The index by which a store finds records is under no seal: whoever can write there takes a record out of it, and no list
has it any more. It follows from what is sealed, so that each record tells what it is to be found by.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from firebreak.core.stored_body import FORMAT
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Conflict, Index, Save
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.marks import read_marks, save_marks
from firebreak.ledger.records import NotActedOn, Record, incident_in, index_of
from firebreak.ledger.sealed import SEALED

_OF_EACH = 200
_AGAIN_NS = 3600 * NANOS
_LOOKED_AT_NS = 600 * NANOS
"""What stands is looked at more often than that."""
_SUBJECTS = {"standing": "uid", "event": "incident"}


@dataclass(frozen=True, slots=True)
class Renewed:
    """How many records were signed anew, and the places of those that were not found by what they say."""

    signed: int = 0
    hidden: tuple[str, ...] = ()


def renew(ledger: Ledger) -> Renewed:
    """Go on where the last call ended, with a bounded part of each kind; once an hour through all of it.

    What is broken, cannot be read or is being worked on stays as it is.
    """
    document, marks = read_marks(ledger, "seals")
    under, now = ledger.seal.sign("signed anew", FORMAT), ledger.now_ns()
    known = marks if marks.get("under") == under else {}
    if "through_ns" in known and 0 <= now - known["through_ns"] < _AGAIN_NS:
        return Renewed()
    reached = dict(known.get("reached", {}))
    signed, hidden = 0, list[str]()
    for kind in SEALED:
        begin = reached.get(kind, "")
        if begin is None:
            continue
        part = list(ledger.documents.after(kind, begin, _OF_EACH))
        for record in ledger.sealed.each(part):
            if isinstance(record, Record) and record.opened.sealed and record.opened.acts:
                signed += _signed(ledger, record)
                hidden += [str(record.place)] if _hidden(ledger, record) else []
        reached[kind] = part[-1].key if len(part) == _OF_EACH else None
    done = all(reached.get(kind, "") is None for kind in SEALED)
    with suppress(Conflict):
        save_marks(
            ledger, "seals", document, {"under": under, **({"through_ns": now} if done else {"reached": reached})}
        )
    return Renewed(signed, tuple(hidden))


def _signed(ledger: Ledger, record: Record) -> bool:
    """Whether it needed a new seal, and has it now."""
    document, value = record.document, record.opened.value
    if not ledger.sealed.needs_new_seal(record):
        return False
    with suppress(Conflict, NotActedOn):
        if document.kind == "incident":
            return ledger.sign(document.key)
        if document.kind == "halt" and document.body.get("reason") != value.get("reason"):
            return False  # set by somebody without the key: what is under the seal is not what stands
        ledger.commit(Save(document.kind, document.key, value, _index(ledger, record), document))
        return True
    return False


def _hidden(ledger: Ledger, record: Record) -> bool:
    """Whether a list that should have it did not, and has it now."""
    document = record.document
    if record.opened.format < FORMAT:
        return False  # saved before there was an index, or signed anew with one
    hidden = False
    with suppress(Conflict, NotActedOn):
        index = _index(ledger, record)
        if (index.due_ns, index.subject) != (document.index.due_ns, document.index.subject):
            ledger.documents.replace(document, document.body, index)
            hidden = True
        if document.kind == "standing" and record.opened.value.get("holds"):
            hidden = _is_not_looked_at(ledger, document.key) or hidden
    return hidden


def _is_not_looked_at(ledger: Ledger, target: str) -> bool:
    """Whether no sweep was to look at what stands there; the next one does."""
    look, now = ledger.documents.read("look", target), ledger.now_ns()
    due_ns = look.index.due_ns if look else None
    if due_ns is not None and due_ns <= now + _LOOKED_AT_NS:
        return False
    ledger.schedule_drift_check(target, now)
    return True


def _index(ledger: Ledger, record: Record) -> Index:
    """What a record is found by, as what is sealed in it says; raises NotActedOn."""
    if record.place.kind == "incident":
        return index_of(incident_in(record, ledger.now_ns()).incident)
    return Index(subject=str(record.opened.value.get(_SUBJECTS.get(record.place.kind, ""), "")))
