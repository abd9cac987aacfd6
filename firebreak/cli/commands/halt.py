"""`firebreak halt` and `resume`: they need the ledger and nothing else, so that they work when little else does."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import nullcontext

from firebreak.adapters.storage.ledger_store import documents_of
from firebreak.cli.commands import EXIT_NO, EXIT_OK, report
from firebreak.cli.commands.ledgers import open_documents, require_local, to_decide, who
from firebreak.cli.commands.sending import send
from firebreak.cli.screens.console import working
from firebreak.core.incidents.command import LONGEST_REASON, Command
from firebreak.core.secrets.redaction import safe
from firebreak.ledger.halts import Halts
from firebreak.settings import Settings

_ID_BYTES = 16


def halt(parsed: argparse.Namespace) -> int:
    """No containing write from now on, anywhere."""
    command = Command(_new_id(), "halt", who(parsed), reason=safe(parsed.reason, LONGEST_REASON))
    return _obeyed(parsed, to_decide(parsed), command, "halting")


def resume(parsed: argparse.Namespace) -> int:
    """Lift the halt that stands now, by its name: one that is set from here on is not meant."""
    name, settings = who(parsed), to_decide(parsed)
    stands = Halts(open_documents(settings), time.time_ns).standing_halt()
    if stands is None:
        return report(parsed, "nothing is halted", EXIT_NO)
    return _obeyed(parsed, settings, Command(_new_id(), "resume", name, halt=str(stands.at_ns)), "lifting the halt")


def _obeyed(parsed: argparse.Namespace, settings: Settings, command: Command, doing: str) -> int:
    with nullcontext() if parsed.json else working(doing):
        if settings.commands_topic:
            result = send(settings, command)
        else:
            require_local(settings)
            result = Halts(documents_of(settings), time.time_ns).obey(command)
    return report(parsed, result.says, EXIT_OK if result.done else EXIT_NO)


def _new_id() -> str:
    return os.urandom(_ID_BYTES).hex()
