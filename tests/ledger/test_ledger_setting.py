"""FIREBREAK_LEDGER chooses the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.firestore import FirestoreDocuments
from adapters.ledger_store import documents_of
from adapters.sqlite import SqliteDocuments
from settings import SettingsFault, read_settings


@pytest.mark.parametrize(
    ("given", "database"),
    [
        ("firestore://shop-prod/(default)", ("shop-prod", "(default)")),
        ("firestore://shop-prod/firebreak", ("shop-prod", "firebreak")),
        ("firestore://example.com:shop-prod/firebreak-2", ("example.com:shop-prod", "firebreak-2")),
        ("firestore://p/d", ("p", "d")),
        ("sqlite:////state/firestore://shop-prod/firebreak", None),
    ],
)
def test_project_and_database_are_named_in_full(given: str, database: tuple[str, str] | None) -> None:
    """Anything else is a file."""
    settings = read_settings({"FIREBREAK_LEDGER": given})

    assert settings.ledger_database == database
    assert isinstance(documents_of(settings), FirestoreDocuments if database else SqliteDocuments)


@pytest.mark.parametrize(
    "given",
    [
        "sqlite:///",
        "firestore:///firebreak",
        "firestore://shop-prod",
        "firestore://shop-prod/",
        "firestore://shop-prod/(default)/documents",
        "firestore://Shop-Prod/firebreak",
        "firestore://shop-prod/../other",
        "firestore://shop-prod/Firebreak",
        "postgres://nowhere",
    ],
)
def test_what_names_no_store_stops_start_up(given: str) -> None:
    """A part that is missing, one too many, or a name that none can have."""
    with pytest.raises(SettingsFault, match="FIREBREAK_LEDGER"):
        read_settings({"FIREBREAK_LEDGER": given})


def test_a_deployed_ledger_on_an_emulator_keeps_the_ceiling_down() -> None:
    """It would forget everything with the next start."""
    deployed = {"K_SERVICE": "firebreak", "FIREBREAK_LEDGER": "firestore://shop-prod/(default)"}
    reasons = [
        {one.reason for one in read_settings({**deployed, **more}).ceilings}
        for more in ({}, {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:8085"})
    ]

    assert reasons[1] - reasons[0] == {"deployed, and FIRESTORE_EMULATOR_HOST is set"}
    assert not any("local file" in one for one in reasons[0])


def test_a_local_ledger_does_not_load_google_s_client() -> None:
    """Nobody waits for what is not used."""
    program = "import sys, adapters.ledger_store; sys.exit('google.cloud.firestore_v1' in sys.modules)"
    root = Path(__file__).resolve().parents[2]

    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0  # noqa: S603 - our own
