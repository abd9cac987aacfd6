"""`firebreak halt` and `resume`: they need the ledger and nothing else, so that they work when little else does."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import nullcontext

from firebreak.adapters.storage.key_file import keys_at_hand, seal_keys
from firebreak.adapters.storage.ledger_store import documents_of
from firebreak.cli.commands import EXIT_NO, EXIT_OK, report
from firebreak.cli.commands.ledgers import open_documents, require_local, to_decide, who
from firebreak.cli.commands.sending import send
from firebreak.cli.screens.console import stdout, working
from firebreak.cli.screens.next_steps import show_step
from firebreak.core.incidents.command import LONGEST_REASON, Command
from firebreak.core.incidents.next_steps import NextStep
from firebreak.core.secrets.redaction import safe
from firebreak.core.signing import Seal
from firebreak.ledger.documents import Documents
from firebreak.ledger.halts import Halts
from firebreak.settings import Settings

_ID_BYTES = 16
_THEN = NextStep("now", "firebreak sweep", "decides what waited for it; the next sweep does so by itself")


def halt(parsed: argparse.Namespace) -> int:
    """No containing write from now on, anywhere."""
    command = Command(_new_id(), "halt", who(parsed), reason=safe(parsed.reason, LONGEST_REASON))
    return _obeyed(parsed, to_decide(parsed), command, "halting")


def resume(parsed: argparse.Namespace) -> int:
    """Lift the halt that stands now, by its name: one that is set from here on is not meant."""
    name, settings = who(parsed), to_decide(parsed)
    stands = Halts(open_documents(settings), time.time_ns, Seal(keys_at_hand(settings))).standing_halt()
    if stands is None and not settings.commands_topic:
        return report(parsed, "nothing is halted", EXIT_NO)
    # A halt that was deleted or put back to an older one is seen by the function, which has the key, and not from here.
    command = Command(_new_id(), "resume", name, halt=str(stands.at_ns) if stands else "")
    return _obeyed(parsed, settings, command, "lifting the halt")


def _obeyed(parsed: argparse.Namespace, settings: Settings, command: Command, doing: str) -> int:
    with nullcontext() if parsed.json else working(doing):
        if settings.commands_topic:
            result = send(settings, command)
        else:
            require_local(settings)
            documents = documents_of(settings)
            result = Halts(documents, time.time_ns, Seal(_keys(settings, documents, command))).obey(command)
    code = report(parsed, result.says, EXIT_OK if result.done else EXIT_NO)
    if command.verb == "resume" and result.done and not parsed.json:
        show_step(stdout(), _THEN)
    return code


def _keys(settings: Settings, documents: Documents, command: Command) -> tuple[bytes, ...]:
    """Those at hand. To lift a halt one is made, unless the ledger was sealed with one that is not here."""
    keys = keys_at_hand(settings)
    if keys or command.verb == "halt" or documents.count("incident"):
        return keys
    return seal_keys(settings)


def _new_id() -> str:
    return os.urandom(_ID_BYTES).hex()
