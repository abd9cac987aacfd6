"""What all commands share: exit codes, and how they speak to people and to programs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from firebreak.cli.screens.console import uncommanding
from firebreak.core.errors import Refused
from firebreak.core.secrets.redaction import safe

EXIT_OK, EXIT_NO, EXIT_USAGE, EXIT_UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
PIPE_CLOSED = 141
"""What a shell says of a command that SIGPIPE ended: whoever read it has read enough."""


class UsageError(Exception):
    """The command cannot mean anything as it was given."""


class NothingFound(Refused):
    """There is nothing to do it with."""


def print_json(value: object) -> None:
    """A value for programs."""
    print(json.dumps(value, indent=2))


def named(parsed: argparse.Namespace) -> dict[str, str]:
    """For programs: the local ledger that the answer comes from, where it comes from one."""
    return {"ledger": safe(parsed.ledger)} if parsed.ledger else {}


def report(parsed: argparse.Namespace, sentence: str, code: int) -> int:
    """One sentence: as JSON on standard output for programs, else on standard error unless it is good news."""
    shown = "\n".join(safe(line) for line in sentence.splitlines())
    if parsed.json:
        print_json({"says": shown, "exit": code, **named(parsed)})
    else:
        tail = [f" (ledger {name})" for name in named(parsed).values() if name not in shown]
        told = "".join((shown, *tail))
        print("\n".join(map(uncommanding, told.split("\n"))), file=sys.stdout if code == EXIT_OK else sys.stderr)
    return code


def require_folder(folder: Path) -> None:
    """Raise UsageError for what is not a folder."""
    if not folder.is_dir():
        message = f"{folder}: {'a file, not a folder of policies' if folder.exists() else 'there is no such folder'}"
        raise UsageError(message)
