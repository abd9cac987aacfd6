"""The whole line with its ledger on Google's Firestore emulator: contained, delivered again, released, answers lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firebreak.cli.main import main
from tests.emulators.firestore_wire import FirestoreWire
from tests.ledger.racing import ledger_of
from tests.ledger.stores import ON_FIRESTORE, Store, a_database
from tests.response.harness import BAD, Line, Lines, world_of

pytestmark = ON_FIRESTORE


@pytest.fixture
def database(firestore_host: str) -> Store:
    return a_database(firestore_host)


@contextmanager
def line_on(store: Store, folder: Path) -> Iterator[Line]:
    with Lines(folder)(world_of(), **store.environment) as line:
        yield line


def test_a_finding_is_contained_once_delivered_again_and_released(database: Store, tmp_path: Path) -> None:
    """Each answer is the record's, read from Firestore, and nothing lies in a local file."""
    with line_on(database, tmp_path) as line:
        pair = line.finding()
        first, again = line.respond(pair), line.respond(pair)
        contained, updates = BAD not in line.reachable, len(line.updates)
        line.release(first, "ada")

        assert (first.phase, again.phase, again.id) == ("contained", "contained", first.id)
        assert (contained, updates) == (True, 1)
        assert line.read(first).phase == "released"
        assert len(line.updates) == 2
        assert BAD in line.reachable
        assert [one["phase"] for one in line.announced] == ["contained", "released"]
        assert not list(tmp_path.glob("*.sqlite*"))


def test_a_finding_is_contained_once_though_every_other_save_loses_its_answer(database: Store, tmp_path: Path) -> None:
    """One write to the service, one announcement, one record."""
    lossy = FirestoreWire(
        database.firestore, lambda called, before: "lost" if called == "Commit" and before % 2 == 0 else "passed"
    )
    with lossy as wire, line_on(Store(database.ledger, wire.host), tmp_path) as line:
        pair = line.finding()
        first, again = line.respond(pair), line.respond(pair)

        assert (first.phase, again.phase) == ("contained", "contained")
        assert len(line.updates) == 1
        assert [one["phase"] for one in line.announced] == ["contained"]
        assert [held.incident.id for held in ledger_of(database, "reader").newest(5)] == [first.id]


def test_people_read_the_deployed_ledger(
    database: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands go where the environment says."""
    with line_on(database, tmp_path) as line:
        incident = line.respond(line.finding())
        for name, value in {**database.environment, "XDG_STATE_HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        code = main(["incident", "list"])

    assert code == 0
    assert incident.id in capsys.readouterr().out
