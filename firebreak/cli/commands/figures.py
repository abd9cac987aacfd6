"""`firebreak report`: what was done in a span of time, in figures."""

from __future__ import annotations

import argparse
import time

from firebreak.cli.commands import EXIT_OK, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import open_ledger
from firebreak.cli.screens.console import paged, working
from firebreak.cli.screens.figures import show_figures
from firebreak.core.reports.report import as_json
from firebreak.ledger.figures import figures_of


def show(parsed: argparse.Namespace) -> int:
    """The figures since then, for people or as JSON."""
    until_ns = time.time_ns() if parsed.until is None else parsed.until
    with working("reading the ledger"):
        figures = figures_of(
            open_ledger(chosen(parsed)), until_ns - parsed.since, until_ns, ended=parsed.until is not None
        )
    if parsed.json:
        print_json(as_json(figures) | named(parsed))
    else:
        with paged() as screen:
            show_figures(screen, figures)
    return EXIT_OK
