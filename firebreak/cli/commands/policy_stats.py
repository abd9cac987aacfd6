"""`firebreak policy stats`: what people made of each policy's decisions, in the ledger or in files of the past."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firebreak.backtest.answers import Book
from firebreak.backtest.files import pieces_of
from firebreak.backtest.past import UNVERIFIED, records_in
from firebreak.cli.commands import EXIT_OK, UsageError, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import open_ledger, shown
from firebreak.cli.screens.console import Screen, stdout, working
from firebreak.cli.screens.counts import show_counts
from firebreak.core.reports.answers import Answers, answers_json
from firebreak.core.signing import Sealed
from firebreak.ledger.records import StoredIncident

_MOST = 1_000_000
_HEAD = ("decided", "enforced", "asked", "yes", "no", "real", "nothing")


def run_stats(parsed: argparse.Namespace) -> int:
    """Count; nothing is changed, whatever the counts suggest."""
    book, recorded = Book(), Recorded(parsed)
    with working("reading what was recorded"):
        for record in recorded:
            book.add(record)
    found = book.by_policy()
    if parsed.json:
        policies = {name: answers_json(one) for name, one in found.items()}
        print_json({"policies": policies, "doubts": recorded.doubts, **named(parsed)})
        return EXIT_OK
    screen = stdout()
    _show(screen, found)
    for doubt in recorded.doubts:
        screen.line(doubt, "caution")
    return EXIT_OK


@dataclass(slots=True)
class Recorded:
    """The records of incidents in the files that are named, else in the ledger; what is left out is counted meanwhile.

    Attributes:
        unread: pieces of files that are no JSON text.
        unbelieved: records of the ledger that cannot be read, or whose seal is broken.
        unverified: records whose seal was not verified as they were read from the ledger.
    """

    asked: argparse.Namespace
    unread: int = 0
    unbelieved: int = 0
    unverified: int = 0

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Each of them; raises UsageError, Transient."""
        return self._in_files(self.asked.history) if self.asked.history else self._in_ledger()

    @property
    def doubts(self) -> list[str]:
        """What to know before a count of them is believed."""
        told = {
            "left out, because they are no JSON text": self.unread,
            "left out, because they cannot be read or their seal is broken": self.unbelieved,
            "counted, with a seal that was not verified, for FIREBREAK_SEAL_KEY was not set": self.unverified,
        }
        return [f"records {what}: {count:,}" for what, count in told.items() if count]

    def _in_files(self, files: list[str]) -> Iterator[Mapping[str, Any]]:
        for file in files:
            if file != "-" and not Path(file).is_file():
                message = f"{file}: there is no such file"
                raise UsageError(message)
        for piece in pieces_of(files):
            try:
                value = json.loads(piece.text)
            except (ValueError, RecursionError):
                self.unread += 1
                continue
            for record in records_in(value):
                self.unverified += UNVERIFIED in record
                yield record

    def _in_ledger(self) -> Iterator[Mapping[str, Any]]:
        for held in open_ledger(chosen(self.asked)).listed(_MOST):
            if not isinstance(held, StoredIncident) or held.sealed is Sealed.BROKEN:
                self.unbelieved += 1
                continue
            self.unverified += held.sealed is Sealed.UNVERIFIED
            yield shown(held)


def _show(screen: Screen, found: Mapping[str, Answers]) -> None:
    if not found:
        screen.line("No incident was decided by a policy, so nothing is known of any.")
        return
    counts = {
        name: (one.decided, one.enforced, one.asked, one.approved, one.rejected, one.real, one.nothing)
        for name, one in found.items()
    }
    show_counts(screen, _HEAD, counts, {name: one.proposal for name, one in found.items() if one.proposal})
    screen.line("real and nothing: what people closed them as; what nobody has judged is in neither", "dim")
