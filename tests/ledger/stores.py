"""The stores that the ledger can be kept in, each opened again and again, as separate processes would."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest

from firebreak.adapters.storage.firestore import FirestoreDocuments
from firebreak.adapters.storage.ledger_store import documents_of
from firebreak.core.findings.finding import Finding
from firebreak.ledger.documents import Document, Documents
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import StoredIncident
from firebreak.settings import read_settings
from tests.emulators.google_emulator import firestore_jar

ON_FIRESTORE = [
    pytest.mark.emulator,
    pytest.mark.skipif(firestore_jar() is None, reason="the SDK's Firestore emulator is not installed"),
]


@dataclass(frozen=True)
class Store:
    """Where a store is, as the environment says it. It can be handed to another process."""

    ledger: str
    firestore: str = ""
    seconds: float | None = None

    def __call__(self) -> Documents:
        settings = read_settings(self.environment)
        if self.seconds is None or settings.ledger_database is None:
            return documents_of(settings)
        return FirestoreDocuments(*settings.ledger_database, self.firestore, self.seconds)

    @property
    def kind(self) -> str:
        return self.ledger.partition(":")[0]

    @property
    def environment(self) -> dict[str, str]:
        return {"FIREBREAK_LEDGER": self.ledger, "FIRESTORE_EMULATOR_HOST": self.firestore}


def a_database(host: str) -> Store:
    """An empty database on the emulator."""
    return Store(f"firestore://test-{uuid.uuid4().hex[:12]}/(default)", host)


def taken(ledger: Ledger, finding: Finding, over: Document | None = None) -> StoredIncident:
    """The incident of this event, owned for one lease, as a delivery takes it."""
    held = ledger.take(ledger.hear(finding, over))
    assert held is not None
    return held
