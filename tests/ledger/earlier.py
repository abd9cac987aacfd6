"""Ledgers of earlier versions, as they lie in `fixtures/`, put where a test's line looks for its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from tests.ledger.make_fixtures import FIXTURES, KEY, RECIPES
from tests.response.harness import Line, Lines

VERSIONS = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
_INSERT = """INSERT INTO documents (kind, key, version, saved, body, due_ns, subject, expires_ns)
    VALUES (:kind, :key, :version, :saved, :body, :due_ns, :subject, :expires_ns)"""


@dataclass(frozen=True)
class Earlier:
    """A line that goes on with an earlier version's ledger, and the incident that it is about."""

    on: Line
    id: str

    @property
    def held(self) -> StoredIncident:
        found = self.on.app.ledger.find(self.id)
        assert found is not None
        return found

    @property
    def incident(self) -> Incident:
        return self.held.incident

    def body(self, kind: str, key: str) -> dict[str, Any]:
        document = self.on.app.ledger.documents.read(kind, key)
        assert document is not None
        return dict(document.body)


def scene(version: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / version / f"{name}.json").read_text())
    return found


def restored(ledger: Mapping[str, Any], path: Path) -> None:
    """The ledger's file as it was."""
    assert SqliteDocuments(path).read("halt", "none") is None
    with closing(sqlite3.connect(path)) as file, file:
        file.executemany(_INSERT, ledger["documents"])
        file.execute(f"PRAGMA user_version = {ledger['user_version']}")


@contextmanager
def earlier(folder: Path, version: str, name: str, **environment: str) -> Iterator[Earlier]:
    """The line on that ledger, in a world in which the record's plan is in force, if it was carried out."""
    ledger = scene(version, name)
    restored(ledger, folder / "ledger.sqlite")
    lines = Lines(folder)
    with lines(RECIPES[name].world(), policy=ledger["policy"], FIREBREAK_SEAL_KEY=KEY, **environment) as on:
        on.world.findings.extend(ledger["findings"])
        found = Earlier(on, ledger["incident"])
        if found.incident.done is not None and found.incident.phase == "contained":
            in_force(on, found.incident)
        yield found


def in_force(on: Line, incident: Incident) -> None:
    """Have the workloads' settings be those that the plan wrote."""
    deadline = Deadline.after(20)
    for change in incident.done.changes if incident.done else ():
        surface = on.app.surfaces[change.surface]
        operation = surface.write(change, on.app.read(change.target, deadline), deadline)
        if operation:
            surface.wait(operation, deadline)
