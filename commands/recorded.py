"""What the commands read: the ledger, an incident by as much of its id as is needed, and who is asking."""

from __future__ import annotations

import argparse
import getpass
import re
import socket
import time
import uuid
from typing import Any

from commands import Misused, Nothing
from core.record import record
from core.redaction import safe
from ledger import Held, Ledger
from records import newer
from settings import Settings, read_settings

ALL = 1_000
"""How many incidents, last touched first, a search looks through: each is a read of a shared ledger."""
_IDENTITY = re.compile(r"[A-Za-z0-9._~-]{1,100}")


def open_ledger(settings: Settings | None = None) -> Ledger:
    """What was recorded. Policies, which may be broken just now, are not needed to read it."""
    # Google's clients come with `app`, and not every command needs them.
    from adapters.ledger_store import documents_of  # noqa: PLC0415 - as above
    from app import seal_keys  # noqa: PLC0415 - as above
    from core.seal import Seal  # noqa: PLC0415 - as above

    chosen = settings or read_settings()
    return Ledger(documents_of(chosen), uuid.uuid4().hex, time.time_ns, Seal(seal_keys(chosen)))


def shown(held: Held) -> dict[str, Any]:
    """The incident's record, with a word on a seal that is broken."""
    whole = record(held.incident)
    if not held.acts:
        whole = {**whole, "not_acted_on": str(newer(held.document))}
    if held.sealed:
        return whole
    settings = read_settings()
    checked = settings.seal_keys or settings.ledger.startswith("sqlite:")
    return {**whole, "seal": "broken" if checked else "not verified here: FIREBREAK_SEAL_KEY is not set"}


def found(ledger: Ledger, wanted: str) -> Held:
    """The incident whose id this is, or begins so; raises Nothing if there is none or more than one."""
    if not _IDENTITY.fullmatch(wanted):
        message = f"{wanted!r} is no incident's id"
        raise Nothing(message)
    if held := ledger.find(wanted):
        return held
    begins = (wanted, f"fb-{wanted}")
    known = sorted(one.key for one in ledger.documents.newest("incident", ALL) if one.key.startswith(begins))
    if len(known) > 1:
        message = f"{wanted} fits {len(known)} incidents: {', '.join(known[:5])}"
        raise Nothing(message)
    held = ledger.find(known[0]) if known else None
    if held is None:
        message = f"there is no incident {wanted}"
        raise Nothing(message)
    return held


def identity(parser: argparse.ArgumentParser) -> None:
    """The argument that names an incident."""
    parser.add_argument("id", help="the incident's id, or as much of its beginning as no other has")


def by(parser: argparse.ArgumentParser) -> None:
    """The option that says who speaks."""
    parser.add_argument(
        "--by", type=said, metavar="WHO", help="who you are, recorded as claimed (your login at this host)"
    )


def said(text: str) -> str:
    """Words that say something: an empty reason would be none, and an empty halt is how a halt is lifted."""
    if not text.strip():
        message = "it must say something"
        raise argparse.ArgumentTypeError(message)
    return safe(text.strip(), 500)


def who(parsed: argparse.Namespace) -> str:
    """Who speaks, as claimed; raises Misused where that is not known, or is Firebreak."""
    try:
        name = safe(str(parsed.by or f"{getpass.getuser()}@{socket.gethostname()}"), 100)
    except (KeyError, OSError):
        message = "it is not known who you are: say so with --by"
        raise Misused(message) from None
    if name.lower() == "firebreak":
        message = "on a record, firebreak is Firebreak itself: say with --by who you are"
        raise Misused(message)
    return name
