"""Which store evidence is kept in."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from firebreak.adapters.later import later
from firebreak.adapters.storage.vault_folder import FolderVault
from firebreak.ports.vault import Vault
from firebreak.settings import Settings


def vault_of(settings: Settings) -> Vault:
    """Where evidence is kept; nothing is made or asked yet."""
    if settings.evidence.startswith("gs://"):
        return later(partial(_bucket, settings))
    return FolderVault(Path(settings.evidence.removeprefix("file://")))


def _bucket(settings: Settings) -> Vault:
    from firebreak.adapters.storage.vault_bucket import BucketVault  # noqa: PLC0415 - heavy, and needed after the write

    return BucketVault(settings.evidence, settings.emulators.get("STORAGE_EMULATOR_HOST"))
