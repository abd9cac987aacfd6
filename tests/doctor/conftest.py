from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from sandbox.server import Sandbox
from tests.cli.commands import FOREIGN, Told, run
from tests.doctor.deployed import Site, deployed_anew, served


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state folder of the test's own, nothing that names a deployment, and logging as it was before."""
    for name in (*FOREIGN, "FIREBREAK_LEDGER", "FIREBREAK_COMMANDS_TOPIC", "FIREBREAK_EVIDENCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def firebreak(capsys: pytest.CaptureFixture[str]) -> Told:
    """Run the command in this process, as from a pipe."""
    return lambda *words: run(capsys, *words)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with served() as made:
        yield made


@pytest.fixture
def healthy(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A healthy deployment, with an empty ledger."""
    SqliteDocuments(tmp_path / "ledger.sqlite").read("incident", "none")
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    return deployed_anew(sandbox, tmp_path)
