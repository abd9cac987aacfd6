"""The seal keys: those that are configured, or one of this machine's own in a file of the user's state folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

from firebreak.adapters.storage.whole_files import put_once
from firebreak.core.errors import Transient
from firebreak.settings import Settings

_BYTES = 32
_PAUSES = (0.05, 0.1, 0.2, 0.4, None)


def seal_keys(settings: Settings) -> tuple[bytes, ...]:
    """The configured keys; without any, one of this machine's own, made once beside the ledger's default place."""
    if settings.seal_keys:
        return tuple(key.encode() for key in settings.seal_keys)
    path = _own_key(settings)
    if not path.exists():
        _make_key(path)
    return (_whole_key(path),)


def keys_at_hand(settings: Settings) -> tuple[bytes, ...]:
    """The keys for who only reads, and makes none: the configured ones, or this machine's own for a local ledger.

    No key is at hand where there is none, or where it may not be read; a shared ledger is never sealed with our own.
    """
    if settings.seal_keys:
        return tuple(key.encode() for key in settings.seal_keys)
    if settings.ledger_database is not None:
        return ()
    try:
        return (_own_key(settings).read_bytes(),)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return ()


def _own_key(settings: Settings) -> Path:
    return settings.state / "seal.key"


def _whole_key(path: Path) -> bytes:
    """The key; an empty file is one that another process is putting into place, unless that died over it."""
    for pause in _PAUSES:
        if key := path.read_bytes():
            return key
        if pause is not None:
            time.sleep(pause)
    message = (
        f"the seal key {path} is empty, and nothing can be sealed or read with it: delete it, and one is made anew"
    )
    raise Transient(message)


def _make_key(path: Path) -> None:
    """Written aside and then put into place, so that two processes that start at once end with one whole key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f"seal.{os.urandom(16).hex()}")
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(os.urandom(_BYTES).hex())
    try:
        put_once(aside, path)
    finally:
        aside.unlink(missing_ok=True)
