"""`firebreak incident show`: one incident as it is recorded."""

from __future__ import annotations

import argparse
import time

from firebreak.cli.commands import EXIT_OK, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import found, open_ledger, shown
from firebreak.cli.screens.console import paged
from firebreak.cli.screens.incident_show import show


def show_incident(parsed: argparse.Namespace) -> int:
    """One incident: what happened, why, how it stands, how to undo it."""
    ledger = open_ledger(chosen(parsed))
    record = shown(found(ledger, parsed.id)) | named(parsed)
    if parsed.json:
        print_json(record)
    else:
        halted = ledger.halt_reason()
        with paged() as screen:
            show(screen, record, time.time_ns(), halted)
    return EXIT_OK
