"""What all commands share: exit codes, how they are declared, how they speak to people and to programs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import Refused
from core.redaction import safe

YES, NO, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
Command = Callable[[argparse.Namespace], int]


class Misused(Exception):  # noqa: N818 - named for who caused it
    """The command cannot mean anything as it was given."""


class Nothing(Refused):
    """There is nothing to do it with."""


def declare(groups: Any, name: str, run: Command, about: str) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's own
    """A command with its sentence, which takes `--json` as every command does."""
    parser: argparse.ArgumentParser = groups.add_parser(name, help=about, description=about)
    parser.add_argument("--json", action="store_true", help="JSON, for programs")
    parser.set_defaults(run=run)
    return parser


def print_json(value: object) -> None:
    """A value for programs."""
    print(json.dumps(value, indent=2))


def say(parsed: argparse.Namespace, sentence: str, code: int) -> int:
    """One sentence: as JSON on standard output for programs, else on standard error unless it is good news."""
    shown = "\n".join(safe(line) for line in sentence.splitlines())
    if parsed.json:
        print_json({"says": shown, "exit": code})
    else:
        print(shown, file=sys.stdout if code == YES else sys.stderr)
    return code


def require_folder(folder: Path) -> None:
    """Raise Misused for what is not a folder."""
    if not folder.is_dir():
        message = f"{folder}: {'a file, not a folder of policies' if folder.exists() else 'there is no such folder'}"
        raise Misused(message)
