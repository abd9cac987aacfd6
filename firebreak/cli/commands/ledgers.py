"""Which ledger is meant, and who decides on it."""

from __future__ import annotations

import argparse
import getpass
import os
from dataclasses import replace

from firebreak.adapters.storage.ledger_store import documents_to_read
from firebreak.cli.commands import UsageError
from firebreak.cli.configuration import read_machine_settings
from firebreak.core.errors import Transient
from firebreak.core.incidents.command import wrong_name
from firebreak.core.secrets.redaction import safe
from firebreak.ledger.documents import Documents
from firebreak.settings import Settings, read_settings


def chosen(parsed: argparse.Namespace) -> Settings:
    """The settings with the ledger that is meant. From here on the command's answer names it if it is a local one."""
    settings = read_settings() if parsed.local else read_machine_settings()
    if parsed.local:
        settings = replace(settings, ledger=settings.own_ledger, ledger_named=True, commands_topic=None)
    if settings.ledger_named and settings.ledger_database is None:
        parsed.ledger = str(settings.ledger_path)
    return settings


def to_decide(parsed: argparse.Namespace) -> Settings:
    """The same for a decision; raises UsageError where no ledger is named, on which it could stand."""
    settings = chosen(parsed)
    if not settings.ledger_named:
        raise UsageError(_unnamed(settings))
    return settings


def open_documents(settings: Settings) -> Documents:
    """The store of the ledger that is named, to be read; raises Transient where there is none, and makes none."""
    if not settings.ledger_named:
        raise Transient(_unnamed(settings))
    documents = documents_to_read(settings)
    if documents is None:
        path = settings.ledger_path
        what = "it is a folder" if path.is_dir() else "there is no such file"
        message = f"there is no ledger at {path}: {what}; nothing was read, and none was made"
        raise Transient(message)
    return documents


def require_local(settings: Settings) -> None:
    """Raise UsageError where the ledger is shared: there only the functions decide."""
    if settings.ledger_database is not None:
        message = (
            "FIREBREAK_COMMANDS_TOPIC is not set: on a shared ledger only the functions decide, told over that topic"
        )
        raise UsageError(message)


def _unnamed(settings: Settings) -> str:
    return (
        "no ledger is named, so nothing was read, done or made: name a deployment with `firebreak configure`, set "
        f"FIREBREAK_LEDGER to the one that is meant, or say --local for this machine's own, {settings.ledger_path}"
    )


def who(parsed: argparse.Namespace) -> str:
    """Who speaks, as claimed; raises UsageError where that is not known, or is Firebreak."""
    try:
        name = safe(str(parsed.by or f"{getpass.getuser()}@{os.uname().nodename}"), 100)
    except (KeyError, OSError):
        message = "the system does not tell who you are, so nothing was done: give your name with --by"
        raise UsageError(message) from None
    if wrong := wrong_name(name):
        message = f"{wrong}, so nothing was done: give your own name with --by"
        raise UsageError(message)
    return name
