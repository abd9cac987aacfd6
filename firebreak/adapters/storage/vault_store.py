"""Which store evidence is kept in."""

from __future__ import annotations

from pathlib import Path

from firebreak.adapters.storage.vault_folder import FolderVault
from firebreak.ports.vault import Vault
from firebreak.settings import Settings


def vault_of(settings: Settings) -> Vault:
    """Where evidence is kept; nothing is made or asked yet."""
    if settings.evidence.startswith("gs://"):
        from firebreak.adapters.storage.vault_bucket import BucketVault  # noqa: PLC0415 - Google's client is heavy, and a folder needs none

        return BucketVault(settings.evidence, settings.emulators.get("STORAGE_EMULATOR_HOST"))
    return FolderVault(Path(settings.evidence.removeprefix("file://")))
