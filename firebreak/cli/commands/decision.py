"""How a person's decision is carried out: by the function, told over the commands topic, or here, on a local ledger."""

from __future__ import annotations

import argparse
import time
import uuid
from contextlib import nullcontext
from typing import Any

from firebreak.cli.arguments import NEEDS_ALL
from firebreak.cli.commands import EXIT_NO, EXIT_OK, EXIT_UNREACHABLE, named, print_json, report
from firebreak.cli.commands.ledgers import require_local, to_decide
from firebreak.cli.commands.recorded import open_ledger, shown
from firebreak.cli.commands.sending import send
from firebreak.cli.screens.console import stdout, working
from firebreak.cli.screens.question import show_question
from firebreak.core.incidents.command import LONGEST_REASON, Command, CommandResult
from firebreak.core.secrets.redaction import safe
from firebreak.settings import Settings


def decide(  # noqa: PLR0913 - a command's fields, as they are
    parsed: argparse.Namespace,
    verb: str,
    doing: str,
    incident: str = "",
    by: str = "",
    *,
    reason: str = "",
    digest: str = "",
    closed_as: str = "",
) -> int:
    """Have the command carried out, and tell what came of it; a question about another plan than before is shown."""
    command = Command(uuid.uuid4().hex, verb, by, incident, safe(reason, LONGEST_REASON), digest, closed_as)
    settings = to_decide(parsed)
    with nullcontext() if parsed.json else working(doing):
        result = send(settings, command) if settings.commands_topic else _done_here(parsed, settings, command)
    code = EXIT_OK if result.done else EXIT_UNREACHABLE if result.unreached else EXIT_NO
    if not incident:
        return report(parsed, result.says, code)
    return _told(parsed, settings, result, command, code)


def _told(parsed: argparse.Namespace, settings: Settings, result: CommandResult, command: Command, code: int) -> int:
    incident = command.incident
    held = open_ledger(settings).read(incident)
    record: dict[str, Any] = shown(held) if held else {}
    if parsed.json:
        seen = {"digest": command.digest} if command.digest else {}
        print_json({"says": safe(result.says), "exit": code, **seen, "incident": record, **named(parsed)})
        return code
    report(parsed, f"{incident}: {result.says}", code)
    if result.done:
        for text in record.get("still_open") or ():
            stdout().line(f"still open: {text}", "caution", indent=2, hang=2)
    elif record.get("phase") == "waiting" and not _is_about(command.digest, record):
        show_question(stdout(), record, time.time_ns())
    return code


def _is_about(digest: str, record: dict[str, Any]) -> bool:
    """Whether the question that is open is the one that was answered."""
    return bool(digest) and str((record.get("question") or {}).get("digest")).startswith(digest)


def _done_here(parsed: argparse.Namespace, settings: Settings, command: Command) -> CommandResult:
    require_local(settings)
    parsed.needs = NEEDS_ALL
    from firebreak.cli.commands.in_process import carry_out  # noqa: PLC0415 - every client is heavy, and what is sent needs none

    return carry_out(settings, command)
