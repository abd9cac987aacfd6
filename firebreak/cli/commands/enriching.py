"""`--enrich virustotal` of a backtest: what VirusTotal says today about the files of the past."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from firebreak.adapters.virustotal import connect
from firebreak.backtest.reports import Asking, KeptReports, ask, hashes_in
from firebreak.cli.commands import UsageError
from firebreak.cli.screens.console import advancing, counting
from firebreak.settings import read_settings


def enriched(parsed: argparse.Namespace) -> tuple[KeptReports, Asking]:
    """What is kept beside the first file of the history, once it was asked about what is not; said again it goes on."""
    if "-" in parsed.history:
        message = "--enrich reads the history twice, which standard input cannot be: name a file"
        raise UsageError(message)
    settings = read_settings()
    if settings.virustotal_key is None:
        message = "--enrich virustotal needs a key: set VIRUSTOTAL_API_KEY"
        raise UsageError(message)
    kept = KeptReports.read(Path(f"{parsed.history[0]}.virustotal.jsonl"))
    with advancing("looking for files", "findings") as step:
        hashes = hashes_in(parsed.history, step)
    files = connect(settings.virustotal_key, settings.virustotal_host)
    try:
        with counting("asking VirusTotal", min(parsed.enrich_limit, len(hashes))) as tell:
            return kept, ask(hashes, parsed.enrich_limit, kept, files.report, time.sleep, tell)
    finally:
        files.close()
