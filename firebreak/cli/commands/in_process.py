"""A decision carried out in this process, on a local ledger, by all that the function has."""

from __future__ import annotations

import sys

from firebreak.adapters.storage.key_file import keys_at_hand
from firebreak.adapters.storage.ledger_store import documents_to_read
from firebreak.bootstrap import build
from firebreak.cli.commands import UsageError, require_folder
from firebreak.core.diagnostics import Faults
from firebreak.core.errors import Transient
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config
from firebreak.core.secrets.redaction import safe
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.response import pipeline
from firebreak.response.app import App
from firebreak.settings import Settings

_WITHOUT_POLICIES = frozenset({"reject", "release", "close"})


def carry_out(settings: Settings, command: Command) -> CommandResult:
    """Do what the command says; raises Transient where the ledger was sealed with a key that is not here."""
    if _sealed_elsewhere(settings):
        message = (
            f"the ledger {settings.ledger_path} was sealed with a key that is not here, so nothing was done: set "
            "FIREBREAK_SEAL_KEY to that key"
        )
        raise Transient(message)
    return pipeline.execute(_app_for(settings, command.verb), command)


def _sealed_elsewhere(settings: Settings) -> bool:
    """Whether the ledger has incidents and no key is at hand: one that is made now would break every seal."""
    documents = None if keys_at_hand(settings) else documents_to_read(settings)
    return documents is not None and documents.count("incident") > 0


def _app_for(settings: Settings, verb: str) -> App:
    """The application; where policies do not load just now, still for what does not ask them."""
    try:
        require_folder(settings.policies)
        return build(settings, read_yaml_policies(read_folder(settings.policies)), quiet)
    except (Faults, UsageError) as fault:
        if verb not in _WITHOUT_POLICIES:
            raise
        first = str(fault).partition("\n")[0]
        print(safe(f"the policies do not load; this command goes on without them: {first}"), file=sys.stderr)
    return build(settings, policy_set((), Config()), quiet)


def quiet(severity: str, message: str, **fields: object) -> None:
    """No log: what it would say is on the record."""
