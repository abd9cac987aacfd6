"""`firebreak history pull`: past findings from SCC and incidents from the ledger, into a file that can be kept."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from firebreak.adapters.google.finding_history import pages_since
from firebreak.adapters.google.security_center import SecurityCenter
from firebreak.backtest.pulled import Known, is_line, known_in, line_of, new_lines
from firebreak.cli.commands import EXIT_OK, UsageError, named, print_json
from firebreak.cli.commands.ledgers import chosen
from firebreak.cli.commands.recorded import open_ledger, shown
from firebreak.cli.screens.console import advancing, stdout
from firebreak.core.findings.input_formats import LARGEST
from firebreak.core.incidents.earlier import changed_ns
from firebreak.core.signing import Sealed
from firebreak.ledger.records import StoredIncident
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.settings import Settings

_MOST = 1_000_000
_OLD_IN_A_ROW = 200


@dataclass(slots=True)
class _Pulled:
    """Of incidents how many are new, how many of these are not verified here, and how many cannot be believed."""

    incidents: int = 0
    unverified: int = 0
    unbelieved: int = 0


def pull(parsed: argparse.Namespace) -> int:
    """Add to the file whatever it does not hold yet; interrupted, it goes on from there the next time."""
    settings, path = chosen(parsed), parsed.file
    organization = parsed.organization or _organization(settings)
    since_ns = time.time_ns() - parsed.since
    known = _known(path)
    before, findings, pulled = known.events, 0, _Pulled()
    with _added_to(path) as file, advancing("pulling", "findings and incidents") as step:
        for location in settings.locations:
            findings += _pull_findings(
                settings, organization, location, known.since(location, since_ns), known, file, step
            )
        if settings.ledger_named:
            pulled = _pull_incidents(settings, since_ns, known, file, step)
    told = {"file": str(path), "findings": findings, "known": before, **asdict(pulled)}
    if parsed.json:
        print_json(told | named(parsed))
        return EXIT_OK
    whence = "" if settings.ledger_named else "; no ledger is named, so SCC's findings alone, which know no evidence"
    stdout().line(
        f"{path}: {findings:,} findings and {pulled.incidents:,} incidents are new, {before:,} were known{whence}"
    )
    if pulled.unbelieved:
        stdout().line(f"left out, because they cannot be read or believed: {pulled.unbelieved:,}", "caution")
    if pulled.unverified:
        stdout().line(f"not verified here, for FIREBREAK_SEAL_KEY is not set: {pulled.unverified:,}", "caution")
    return EXIT_OK


def _organization(settings: Settings) -> str:
    found = (
        read_yaml_policies(read_folder(settings.policies)).config.organization if settings.policies.is_dir() else None
    )
    if found is None:
        message = "no firebreak.yaml names an organization, so nothing was asked: give its number with --organization"
        raise UsageError(message)
    return found


def _known(path: Path) -> Known:
    """What the file holds; a line that was cut short when something stopped the last pull is taken away.

    Whatever else lies there is somebody's, and left as it is.
    """
    if not path.exists() or not path.stat().st_size:
        return Known()
    with path.open("rb+") as file:
        if not is_line(file.readline(LARGEST)):
            message = f"{path}: this is no history that was pulled, or it is packed, and is left as it is: name another"
            raise UsageError(message)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LARGEST))
        tail = file.read().rpartition(b"\n")[2]
        if is_line(tail):
            file.writelines([b"\n"])
        else:
            file.truncate(size - len(tail))
    return known_in(str(path))


@contextmanager
def _added_to(path: Path) -> Iterator[IO[str]]:
    """The file to add to, which nobody else may read: findings tell where there are holes."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
        yield file


def _pull_findings(
    settings: Settings,
    organization: str,
    location: str,
    since_ns: int,
    known: Known,
    file: IO[str],
    step: Callable[[int], None],
) -> int:
    scc, count = SecurityCenter(settings.emulators.get("SECURITY_CENTER_EMULATOR_HOST"), settings.locations), 0
    for page in pages_since(scc, organization, location, since_ns):
        added = list(new_lines(page, location, known))
        print(*added, sep="", end="", file=file, flush=True)
        count += len(added)
        step(len(added))
    return count


def _pull_incidents(
    settings: Settings, since_ns: int, known: Known, file: IO[str], step: Callable[[int], None]
) -> _Pulled:
    """Add what is new.

    They come with the last changed first, by a time that anybody can change who can write the ledger: when one really
    changed is told by its sealed history, and many old ones in a row are the end.
    """
    pulled, old = _Pulled(), 0
    for held in open_ledger(settings).listed(_MOST):
        if not isinstance(held, StoredIncident) or held.sealed is Sealed.BROKEN:
            pulled.unbelieved += 1
            continue
        old = old + 1 if changed_ns(held.incident) < since_ns else 0
        if old >= _OLD_IN_A_ROW:
            break
        record = shown(held)
        if not old and known.take_incident(record):
            print(line_of(record), end="", file=file)
            pulled.incidents += 1
            pulled.unverified += held.sealed is Sealed.UNVERIFIED
            step(1)
    return pulled
