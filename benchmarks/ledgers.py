"""A large ledger: what a finding, a sweep, `incident list` and `history pull` take on it.

The newest records are whole, sealed, and of incidents that have ended; those behind them are rows that only the store
sees, put there directly, since a million sealed ones would take the better part of an hour.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.line import line
from firebreak.core.cloud_run.target import Target
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.size_limit import fit_to_size_limit
from firebreak.ledger.documents import Save
from tests.emulators.google_emulator import firestore_emulator, firestore_jar
from tests.ledger.stores import a_database
from tests.response.harness import Line
from tests.response.test_sweep import service_of

_WHOLE = 2_000
_TOGETHER = 100
_COMMAND = """
import sys, time
from firebreak.cli.main import main
code = main(sys.argv[1:])
print(time.process_time(), open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], file=sys.stderr)
sys.exit(code)
"""
_ORGANIZATION = "123456789012"


def on_sqlite(count: int) -> Iterator[str]:
    """A line for each thing that is done on a ledger with so many incidents, and one with few."""
    for many in (_WHOLE, count):
        with line() as on:
            _copied(on, _ended(on), _WHOLE)
            rows = ((f"old{number}", -number) for number in range(many - _WHOLE))
            with closing(sqlite3.connect(on.app.settings.ledger_path)) as file, file:
                columns = "INSERT INTO documents (kind, key, version, saved, body, due_ns)"
                file.executemany(f"{columns} VALUES ('incident', ?, 'v', ?, '{{}}', NULL)", rows)
            yield from _measured(on, f"{many:>9,} incidents, SQLite")


def on_firestore(count: int) -> Iterator[str]:
    """The same on Firestore's emulator; one line that says so where there is none."""
    if firestore_jar() is None:
        yield "Firestore: its emulator is not installed (gcloud components install cloud-firestore-emulator)"
        return
    with firestore_emulator() as host:
        store = a_database(host)
        with line(environment=store.environment) as on:
            ended = _ended(on)
            for first in range(_WHOLE, count, _TOGETHER):
                old = [Save("incident", f"old{number}", {}) for number in range(first, first + _TOGETHER)]
                on.app.ledger.documents.commit(old)
            _copied(on, ended, _WHOLE)
            yield from _measured(on, f"{count:>9,} incidents, Firestore's emulator")


def _ended(on: Line) -> Incident:
    """An incident that was contained and released."""
    return on.release(on.respond(on.finding())).held.incident


def _copied(on: Line, ended: Incident, count: int) -> None:
    """The same on so many other services."""
    if isinstance(target := ended.finding.target, Target):
        copy(on, ended, [replace(target, name=f"other-{number}") for number in range(count)])


def copy(on: Line, incident: Incident, targets: Sequence[Target]) -> None:
    """Keep the incident's record once more, under an id of its own, for each of these targets."""
    saves = []
    for number, target in enumerate(targets):
        another = replace(incident, id=f"fb-{number:016x}", finding=replace(incident.finding, target=target))
        saves.append(on.app.ledger.incident_save(*fit_to_size_limit(another), None))
    for first in range(0, len(saves), _TOGETHER):
        on.app.ledger.commit(*saves[first : first + _TOGETHER])


def _measured(on: Line, name: str) -> Iterator[str]:
    on.world.add_service(service_of("another"))
    pair = on.finding(finding_id="e" * 32, workload="services/another")
    began = time.process_time() - on.sandbox.wire.processor
    incident = on.respond(pair)
    phase = f"{incident.phase}: {incident.history[-1].what}" if incident.waits else incident.phase
    yield f"{name}: a finding {(time.process_time() - on.sandbox.wire.processor - began) * 1000:.0f} ms, {phase}"
    began, since = time.process_time() - on.sandbox.wire.processor, time.perf_counter()
    on.sweep()
    took = time.process_time() - on.sandbox.wire.processor - began
    yield f"{name}: a sweep {took * 1000:.0f} ms, {time.perf_counter() - since:.1f} s on the clock"
    named = {**on.sandbox.environment(), "FIREBREAK_LEDGER": _address(on), "FIREBREAK_POLICIES": str(_policies(on))}
    named |= {key: host for key, host in on.app.settings.emulators.items() if key == "FIRESTORE_EMULATOR_HOST"}
    with tempfile.TemporaryDirectory() as folder:
        kept = str(Path(folder) / "history.jsonl")
        for words in (("incident", "list"), ("history", "pull", kept, "--organization", _ORGANIZATION)):
            processor, memory = _run(words, named)
            yield f"{name}: {' '.join(words[:2])} {processor:.1f} s of the processor, {memory:.0f} MiB"


def _run(words: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of the processor and MiB at most of one command; raises CalledProcessError where that is not a yes."""
    done = subprocess.run(  # noqa: S603 - Python itself
        [sys.executable, "-c", _COMMAND, *words],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
        text=True,
    )
    seconds, kib = done.stderr.splitlines()[-1].split()
    return float(seconds), int(kib) / 1024


def _address(on: Line) -> str:
    settings = on.app.settings
    if settings.ledger_database is None:
        return f"sqlite:///{settings.ledger_path}"
    return f"firestore://{'/'.join(settings.ledger_database)}"


def _policies(on: Line) -> Path:
    return on.app.settings.policies
