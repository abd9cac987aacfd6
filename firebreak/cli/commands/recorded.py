"""What the commands read: the ledger that is meant, an incident by as much of its id as is needed, who is asking."""

from __future__ import annotations

import argparse
import getpass
import re
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from firebreak.cli.commands import NothingFound, UsageError, declare
from firebreak.core.errors import Transient
from firebreak.core.incidents.record import record
from firebreak.core.secrets.redaction import safe
from firebreak.core.signing import Sealed
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import StoredIncident, newer
from firebreak.settings import Settings, read_settings

if TYPE_CHECKING:
    from firebreak.ledger.documents import Documents

ALL = 1_000
"""How many incidents, last touched first, a search looks through: each is a read of a shared ledger."""
_IDENTITY = re.compile(r"[A-Za-z0-9._~-]{1,100}")


def on_ledger(
    groups: Any,  # noqa: ANN401 - argparse's own
    name: str,
    run: Callable[[argparse.Namespace], int],
    about: str,
) -> argparse.ArgumentParser:
    """A command that reads a ledger or decides on it: the one that is named, and no other."""
    parser = declare(groups, name, run, about)
    local(parser)
    return parser


def local(parser: argparse.ArgumentParser) -> None:
    """The option that names this machine's own ledger."""
    parser.add_argument(
        "--local", action="store_true", help="on this machine's own ledger, in your state folder (FIREBREAK_LEDGER)"
    )


def chosen(parsed: argparse.Namespace) -> Settings:
    """The settings with the ledger that is meant. From here on the command's answer names it if it is a local one."""
    settings = read_settings()
    if parsed.local:
        settings = replace(settings, ledger=settings.own_ledger, ledger_named=True, commands_topic=None)
    if settings.ledger_named and settings.ledger_database is None:
        parsed.ledger = str(settings.ledger_path)
    return settings


def to_decide(parsed: argparse.Namespace) -> Settings:
    """The same for a decision; raises Misused where no ledger is named, on which it could stand."""
    settings = chosen(parsed)
    if not settings.ledger_named:
        raise UsageError(_unnamed(settings))
    return settings


def open_ledger(settings: Settings) -> Ledger:
    """What was recorded, to be read; raises Transient where there is none, and makes none, nor a key.

    Policies, which may be broken just now, are not needed.
    """
    # Google's clients come with `app`, and not every command needs them.
    from firebreak.bootstrap import keys_at_hand  # noqa: PLC0415 - as above
    from firebreak.core.signing import Seal  # noqa: PLC0415 - as above

    return Ledger(_to_read(settings), uuid.uuid4().hex, time.time_ns, Seal(keys_at_hand(settings)))


def _to_read(settings: Settings) -> Documents:
    from firebreak.adapters.storage.ledger_store import documents_to_read  # noqa: PLC0415 - see `open_ledger`

    if not settings.ledger_named:
        raise Transient(_unnamed(settings))
    documents = documents_to_read(settings)
    if documents is None:
        path = settings.ledger_path
        what = "it is a folder" if path.is_dir() else "there is no such file"
        message = f"there is no ledger at {path}: {what}; nothing was read, and none was made"
        raise Transient(message)
    return documents


def _unnamed(settings: Settings) -> str:
    return (
        "no ledger is named, so nothing was read, done or made: set FIREBREAK_LEDGER to the one that is meant, or say "
        f"--local for this machine's own, {settings.ledger_path}"
    )


def shown(held: StoredIncident) -> dict[str, Any]:
    """The incident's record, with a word on a seal that is not known to hold."""
    whole = record(held.incident)
    if not held.acts:
        whole = {**whole, "not_acted_on": str(newer(held.document))}
    if held.sealed is Sealed.HOLDS:
        return whole
    no_key = f"{Sealed.UNVERIFIED.value}: FIREBREAK_SEAL_KEY is not set"
    return {**whole, "seal": no_key if held.sealed is Sealed.UNVERIFIED else Sealed.BROKEN.value}


def found(ledger: Ledger, wanted: str) -> StoredIncident:
    """The incident whose id this is, or begins so; raises Nothing if there is none or more than one."""
    if not _IDENTITY.fullmatch(wanted):
        message = f"{wanted!r} is no incident's id"
        raise NothingFound(message)
    if held := ledger.find(wanted):
        return held
    begins = (wanted, f"fb-{wanted}")
    known = sorted(one.key for one in ledger.documents.newest("incident", ALL) if one.key.startswith(begins))
    if len(known) > 1:
        message = f"{wanted} fits {len(known)} incidents: {', '.join(known[:5])}"
        raise NothingFound(message)
    held = ledger.find(known[0]) if known else None
    if held is None:
        message = f"there is no incident {wanted}"
        raise NothingFound(message)
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
        raise UsageError(message) from None
    if name.lower() == "firebreak":
        message = "on a record, firebreak is Firebreak itself: say with --by who you are"
        raise UsageError(message)
    return name
