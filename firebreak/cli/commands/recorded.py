"""What was recorded, as the commands read it: an incident by as much of its id as is needed."""

from __future__ import annotations

import time
from typing import Any

from firebreak.adapters.storage.key_file import keys_at_hand
from firebreak.cli.commands import NothingFound
from firebreak.cli.commands.ledgers import open_documents
from firebreak.core.first_few import first_few
from firebreak.core.incidents.command import IDENTITY
from firebreak.core.incidents.record import record
from firebreak.core.signing import Seal, Sealed
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import StoredIncident, newer
from firebreak.settings import Settings

ALL = 1_000
"""How many incidents, last touched first, a search looks through: each is a read of a shared ledger."""
_FEW = 5


def open_ledger(settings: Settings) -> Ledger:
    """What was recorded, to be read; raises Transient where there is none, and makes none, nor a key.

    Policies, which may be broken just now, are not needed.
    """
    return Ledger(open_documents(settings), "", time.time_ns, Seal(keys_at_hand(settings)))


def shown(held: StoredIncident) -> dict[str, Any]:
    """The incident's record, with a word on a seal that is not known to hold."""
    whole = record(held.incident, believed=held.sealed is not Sealed.BROKEN)
    if not held.acts:
        whole = {**whole, "not_acted_on": str(newer(held.document))}
    if held.sealed is Sealed.HOLDS:
        return whole
    no_key = f"{Sealed.UNVERIFIED.value}: FIREBREAK_SEAL_KEY is not set"
    return {**whole, "seal": no_key if held.sealed is Sealed.UNVERIFIED else Sealed.BROKEN.value}


def found(ledger: Ledger, wanted: str) -> StoredIncident:
    """The incident whose id this is, or begins so; raises NothingFound if there is none or more than one."""
    if not IDENTITY.fullmatch(wanted):
        message = f"{wanted!r} is not the id of an incident"
        raise NothingFound(message)
    if held := ledger.find(wanted):
        return held
    begins = (wanted, f"fb-{wanted}", wanted.lower().rstrip("."))  # as a sentence, or a machine in capitals, has it
    known = sorted(one.key for one in ledger.documents.newest("incident", ALL) if one.key.startswith(begins))
    if len(known) > 1:
        message = f"{wanted} fits {len(known)} incidents: {', '.join(first_few(known, _FEW))}"
        raise NothingFound(message)
    held = ledger.find(known[0]) if known else None
    if held is None:
        message = f"there is no incident {wanted}; to see all: firebreak incident list"
        raise NothingFound(message)
    return held
