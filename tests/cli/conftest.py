from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from tests.cli.commands import FOREIGN, Told, run
from tests.response.harness import Lines


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A ledger and a state folder of the test's own, and logging as it was before the command silenced it."""
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FIREBREAK_LEDGER", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The ledger that the settings name: it is there, and nothing is in it."""
    SqliteDocuments(tmp_path / "ledger.sqlite").read("incident", "none")
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def line(tmp_path: Path) -> Lines:
    """Call it with a world to get the whole line on it."""
    return Lines(tmp_path)


@pytest.fixture
def firebreak(capsys: pytest.CaptureFixture[str]) -> Told:
    """Run the command in this process, as from a pipe."""
    return lambda *words: run(capsys, *words)
