"""`firebreak incident list` and `show`: incidents as they are recorded."""

from __future__ import annotations

import argparse
import sys
import time

from firebreak.cli.commands import EXIT_OK, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import ALL, found, open_ledger, shown
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.incident_list import Count, show_list
from firebreak.cli.screens.incident_show import show
from firebreak.ledger.records import StoredIncident


def list_incidents(parsed: argparse.Namespace) -> int:
    """What is in the ledger, last touched first."""
    ledger = open_ledger(chosen(parsed))
    listed = list(ledger.listed(ALL if parsed.phase else parsed.limit))
    held = [one for one in listed if isinstance(one, StoredIncident)]
    unread = [one for one in listed if not isinstance(one, StoredIncident)]
    fitting = [one for one in held if parsed.phase in (None, one.incident.phase)]
    records = [shown(one) | named(parsed) for one in fitting[: parsed.limit]]
    count = Count(ledger.count(), parsed.phase, len(fitting), len(listed), parsed.ledger)
    if parsed.json:
        print_json([*records, *({"id": one.place.key, "not_acted_on": str(one)} | named(parsed) for one in unread)])
        print(count.told(len(records)), file=sys.stderr)
    else:
        show_list(stdout(), records, time.time_ns(), ledger.halted(), count)
        for one in unread:
            stdout().line(str(one), "bad")
    return EXIT_OK


def show_incident(parsed: argparse.Namespace) -> int:
    """One incident: what happened, why, how it stands, how to undo it."""
    ledger = open_ledger(chosen(parsed))
    record = shown(found(ledger, parsed.id)) | named(parsed)
    if parsed.json:
        print_json(record)
    else:
        show(stdout(), record, time.time_ns(), ledger.halted())
    return EXIT_OK
