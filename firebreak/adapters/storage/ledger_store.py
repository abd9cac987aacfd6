"""Which store the ledger is kept in."""

from __future__ import annotations

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.ledger.documents import Documents
from firebreak.settings import Settings


def documents_to_read(settings: Settings) -> Documents | None:
    """The configured store, read-only; None if there is no ledger yet (none is created)."""
    if settings.ledger_database is not None:
        return documents_of(settings)
    return SqliteDocuments(settings.ledger_path, read_only=True) if settings.ledger_path.is_file() else None


def documents_of(settings: Settings) -> Documents:
    """The configured store; nothing is opened or connected before it is used."""
    if settings.ledger_database is None:
        return SqliteDocuments(settings.ledger_path)
    from firebreak.adapters.storage.firestore import FirestoreDocuments  # noqa: PLC0415 - Google's client is heavy, and a local ledger needs none

    return FirestoreDocuments(*settings.ledger_database, settings.emulators.get("FIRESTORE_EMULATOR_HOST"))
