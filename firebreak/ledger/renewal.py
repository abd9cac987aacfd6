"""Signing anew: what an older key sealed, or was saved in an older format, is saved with the first key in today's."""

from __future__ import annotations

from contextlib import suppress

from firebreak.core.stored_body import FORMAT
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Conflict, Index, Save, even_damaged
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import NotActedOn, Record
from firebreak.ledger.sealed import SEALED

_OF_EACH = 200
_AGAIN_NS = 24 * 3600 * NANOS


def sign_anew(ledger: Ledger) -> int:
    """Go on where the last call ended, with a bounded part of each kind; once a day through all of it.

    How many records were signed anew. What is broken, cannot be read or is being worked on stays as it is.
    """
    document = even_damaged(lambda: ledger.documents.read("sweep", "seals"))
    under, now, signed = ledger.seal.sign("signed anew", FORMAT), ledger.now_ns(), 0
    known = document.body if document and document.body.get("under") == under else {}
    through, told = known.get("through_ns"), known.get("reached")
    if type(through) is int and 0 <= now - through < _AGAIN_NS:
        return 0
    reached = dict(told) if isinstance(told, dict) else {}
    for kind in SEALED:
        begin = reached.get(kind, "")
        if begin is None:
            continue
        part = list(ledger.documents.after(kind, str(begin), _OF_EACH))
        signed += sum(_signed(ledger, one) for one in ledger.sealed.each(part) if isinstance(one, Record))
        reached[kind] = part[-1].key if len(part) == _OF_EACH else None
    done = all(reached.get(kind, "") is None for kind in SEALED)
    body = {"under": under, **({"through_ns": now} if done else {"reached": reached})}
    with suppress(Conflict):
        ledger.documents.commit([Save("sweep", "seals", body, over=document)])
    return signed


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
        subject = value.get({"standing": "uid", "event": "incident"}.get(document.kind, ""), "")
        ledger.commit(Save(document.kind, document.key, value, Index(subject=str(subject)), document))
        return True
    return False
