"""`firebreak policy stats`: what people made of each policy's decisions, in the ledger or in files of the past."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from firebreak.backtest.answers import Book
from firebreak.backtest.files import pieces_of
from firebreak.backtest.past import records_in
from firebreak.cli.commands import EXIT_OK, UsageError, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import open_ledger, shown
from firebreak.cli.screens.console import Screen, stdout, working
from firebreak.core.reports.answers import Answers, answers_json
from firebreak.core.signing import Sealed
from firebreak.ledger.records import StoredIncident

_MOST = 1_000_000
_HEAD = ("decided", "enforced", "asked", "yes", "no", "real", "nothing")


def run_stats(parsed: argparse.Namespace) -> int:
    """Count; nothing is changed, whatever the counts suggest."""
    book = Book()
    with working("reading what was recorded"):
        for record in recorded_of(parsed):
            book.add(record)
    found = book.by_policy()
    if parsed.json:
        policies = {name: answers_json(one) for name, one in found.items()}
        print_json({"policies": policies, **named(parsed)})
    else:
        _show(stdout(), found)
    return EXIT_OK


def recorded_of(parsed: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    """The records of incidents in the files that are named, else in the ledger."""
    return _in_files(parsed.history) if parsed.history else _in_ledger(parsed)


def _in_files(files: list[str]) -> Iterator[Mapping[str, Any]]:
    for file in files:
        if file != "-" and not Path(file).is_file():
            message = f"{file}: there is no such file"
            raise UsageError(message)
    for piece in pieces_of(files):
        try:
            value = json.loads(piece.text)
        except (ValueError, RecursionError):
            continue
        yield from records_in(value)


def _in_ledger(parsed: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    for held in open_ledger(chosen(parsed)).listed(_MOST):
        if isinstance(held, StoredIncident) and held.sealed is not Sealed.BROKEN:
            yield shown(held)


def _show(screen: Screen, found: Mapping[str, Answers]) -> None:
    if not found:
        screen.line("No incident was decided by a policy, so nothing is known of any.")
        return
    width = max(map(len, found))
    screen.line(f"{'':<{width}}" + "".join(f"{word:>10}" for word in _HEAD), "dim")
    for name, one in found.items():
        counts = (one.decided, one.enforced, one.asked, one.approved, one.rejected, one.real, one.nothing)
        screen.line(f"{name:<{width}}" + "".join(f"{count:>10,}" for count in counts))
        if one.proposal:
            screen.line(one.proposal, "caution", indent=2, hang=2)
    screen.line("real and nothing: what people closed them as; what nobody has judged is in neither", "dim")
