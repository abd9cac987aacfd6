"""`firebreak incident list`: what is in the ledger."""

from __future__ import annotations

import argparse
import sys
import time

from firebreak.cli.commands import EXIT_OK, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import ALL, open_ledger, shown
from firebreak.cli.screens.console import stdout
from firebreak.cli.screens.incident_list import Count, show_list
from firebreak.ledger.records import StoredIncident


def list_incidents(parsed: argparse.Namespace) -> int:
    """The incidents, last touched first, and how many there are in truth."""
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
        show_list(stdout(), records, time.time_ns(), ledger.halt_reason(), count)
        for one in unread:
            stdout().line(str(one), "bad")
    return EXIT_OK
