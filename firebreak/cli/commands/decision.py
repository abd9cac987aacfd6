"""How a person's decision is carried out: by the function, told over the commands topic, or here, on a local ledger."""

from __future__ import annotations

import argparse
import time
import uuid
from contextlib import nullcontext
from dataclasses import dataclass

from firebreak.cli.arguments import NEEDS_ALL
from firebreak.cli.commands import EXIT_NO, EXIT_OK, EXIT_UNREACHABLE, named, print_json, report
from firebreak.cli.commands.ledgers import require_local, to_decide
from firebreak.cli.commands.recorded import open_ledger, shown
from firebreak.cli.commands.sending import send
from firebreak.cli.screens.console import stdout, working
from firebreak.cli.screens.next_steps import show_next
from firebreak.cli.screens.question import show_question
from firebreak.cli.screens.release import show_keys
from firebreak.cli.screens.wording import Record, part, texts, where
from firebreak.core.incidents.command import LONGEST_REASON, Command, CommandResult
from firebreak.core.secrets.redaction import safe
from firebreak.settings import Settings


@dataclass(frozen=True, slots=True)
class Decided:
    """A command that was carried out: what was said, what came of it, the record after it, and the exit code."""

    command: Command
    result: CommandResult
    record: Record
    code: int


def command_of(verb: str, by: str, incident: str = "", reason: str = "", digest: str = "") -> Command:
    """A command of its own, with the person's reason as far as the record keeps one."""
    return Command(uuid.uuid4().hex, verb, by, incident, safe(reason, LONGEST_REASON), digest)


def decide(parsed: argparse.Namespace, doing: str, command: Command) -> int:
    """Have the command carried out, and tell what came of it; a question about another plan than before is shown."""
    decided = carried_out(parsed, doing, command)
    return tell(parsed, decided) if command.incident else report(parsed, decided.result.says, decided.code)


def carried_out(parsed: argparse.Namespace, doing: str, command: Command) -> Decided:
    """Have the command carried out; nothing is told yet."""
    settings = to_decide(parsed)
    with nullcontext() if parsed.json else working(doing):
        result = send(settings, command) if settings.commands_topic else _done_here(parsed, settings, command)
    code = EXIT_OK if result.done else EXIT_UNREACHABLE if result.unreached else EXIT_NO
    held = open_ledger(settings).read(command.incident) if command.incident else None
    return Decided(command, result, shown(held) if held else {}, code)


def tell(parsed: argparse.Namespace, decided: Decided) -> int:
    """What came of a command about an incident, and what can be typed next; the exit code."""
    command, record = decided.command, decided.record
    says, screen = decided.result.says, stdout()
    if parsed.json:
        seen = {"digest": command.digest} if command.digest else {}
        print_json({"says": safe(says), "exit": decided.code, **seen, "incident": record, **named(parsed)})
        return decided.code
    report(parsed, f"{command.incident}: {says}", decided.code)
    if record:
        screen.line(f"{where(record)}: {record.get('now')}", "strong", indent=2, hang=2)
    if command.verb == "release":
        show_keys(screen, record)
    elif decided.result.done:
        for text in texts(record.get("still_open")):
            screen.line(f"still open: {text}", "caution", indent=2, hang=2)
    if record.get("phase") == "waiting" and not _is_about(command.digest, record):
        show_question(screen, record, time.time_ns())
    show_next(screen, record)
    return decided.code


def _is_about(digest: str, record: Record) -> bool:
    """Whether the question that is open is the one that was answered."""
    return bool(digest) and str(part(record.get("question")).get("digest")).startswith(digest)


def _done_here(parsed: argparse.Namespace, settings: Settings, command: Command) -> CommandResult:
    require_local(settings)
    parsed.needs = NEEDS_ALL
    from firebreak.cli.commands.in_process import carry_out  # noqa: PLC0415 - every client is heavy, and what is sent needs none

    return carry_out(settings, command)
