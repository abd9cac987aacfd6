"""How a person's decision is carried out: by the function, told over the commands topic, or here, on a local ledger."""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from firebreak.cli.commands import (
    EXIT_NO,
    EXIT_OK,
    EXIT_UNREACHABLE,
    UsageError,
    named,
    print_json,
    report,
    require_folder,
)
from firebreak.cli.commands.recorded import open_ledger, shown, to_decide
from firebreak.cli.screens.console import stdout, working
from firebreak.cli.screens.question import show_question
from firebreak.core.diagnostics import Faults
from firebreak.core.errors import Refused, Transient
from firebreak.core.incidents.command import Command
from firebreak.core.policy.digest import policy_set
from firebreak.core.policy.policy import Config, PolicySet
from firebreak.core.secrets.redaction import safe
from firebreak.core.signing import Seal
from firebreak.ledger.ledger import Ledger
from firebreak.settings import Settings

if TYPE_CHECKING:
    from firebreak.ports.deadline import Deadline
    from firebreak.response.app import App
    from firebreak.response.triggers.execute import CommandResult

_PATIENCE_SECONDS = 180.0
_WITHOUT_POLICIES = frozenset({"reject", "release", "close", "halt", "resume"})


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
    halt: str = "",
) -> int:
    """Have the command carried out, and tell what came of it; a question about another plan than before is shown."""
    command = Command(uuid.uuid4().hex, verb, by, incident, reason, digest, closed_as, halt)
    settings = to_decide(parsed)
    with nullcontext() if parsed.json else working(doing):
        result = _sent(settings, command) if settings.commands_topic else _done_here(settings, command)
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


def _sent(settings: Settings, command: Command) -> CommandResult:
    """Tell the function, and read the ledger until its answer is there; raises Transient where none comes."""
    from firebreak.adapters.google.pubsub import Publisher  # noqa: PLC0415 - as above
    from firebreak.ports.deadline import Deadline  # noqa: PLC0415 - Google's clients come with it

    deadline = Deadline.after(_PATIENCE_SECONDS)
    publisher = Publisher(settings.emulators.get("PUBSUB_EMULATOR_HOST"))
    try:
        publisher.publish(settings.commands_topic or "", command.message(), {"command": command.verb}, deadline)
    except (Refused, Transient) as fault:
        message = f"the command could not be sent to {settings.commands_topic}, so nothing was done: {fault}"
        raise Transient(message) from None
    try:
        return _followed(settings, command, deadline)
    except Transient as fault:
        message = f"the command was sent to {settings.commands_topic} and {fault}"
        raise Transient(message) from None


def _followed(settings: Settings, command: Command, deadline: Deadline) -> CommandResult:
    """The answer, read from the ledger once it is there; raises Transient where none comes or none can be read."""
    from firebreak.adapters.storage.ledger_store import documents_to_read  # noqa: PLC0415 - Google's clients come with it
    from firebreak.response.triggers.execute import answer_of  # noqa: PLC0415 - as above

    documents, pause = documents_to_read(settings), 0.2
    while not deadline.passed:
        # A local ledger may be made by the function as it answers.
        documents = documents or documents_to_read(settings)
        try:
            document = documents.read("command", command.id) if documents else None
        except Transient as fault:
            message = f"its answer could not be read: {fault}"
            raise Transient(message) from None
        if document is not None and (answer := answer_of(document)):
            return answer
        time.sleep(deadline.remaining(pause))
        pause = min(pause * 1.3, 2.0)
    message = (
        "is not answered yet; it is carried out once the function gets to it: look again with `firebreak incident list`"
    )
    raise Transient(message)


def _done_here(settings: Settings, command: Command) -> CommandResult:
    from firebreak.response import pipeline  # noqa: PLC0415 - Google's clients come with it

    if not settings.ledger.startswith("sqlite:"):
        message = (
            "FIREBREAK_COMMANDS_TOPIC is not set: on a shared ledger only the functions decide, told over that topic"
        )
        raise UsageError(message)
    if command.verb in ("halt", "resume"):
        return pipeline.stop_or_go(_to_stop_or_go(settings, command.verb), command)
    if _sealed_elsewhere(settings):
        message = (
            f"the ledger {settings.ledger_path} was sealed with a key that is not here, so nothing was done: set "
            "FIREBREAK_SEAL_KEY to that key"
        )
        raise Transient(message)
    return pipeline.execute(_app_for(settings, command.verb), command)


def _sealed_elsewhere(settings: Settings) -> bool:
    """Whether the ledger has incidents and no key is at hand: one that is made now would break every seal."""
    from firebreak.adapters.storage.ledger_store import documents_to_read  # noqa: PLC0415 - Google's clients come with `app`
    from firebreak.bootstrap import keys_at_hand  # noqa: PLC0415 - as above

    documents = None if keys_at_hand(settings) else documents_to_read(settings)
    return documents is not None and documents.count("incident") > 0


def _to_stop_or_go(settings: Settings, verb: str) -> Ledger:
    """The ledger to write the halt to. There is none to lift where there is no ledger, and none is made for that."""
    from firebreak.adapters.storage.ledger_store import documents_of  # noqa: PLC0415 - Google's clients come with `app`
    from firebreak.bootstrap import keys_at_hand, seal_keys  # noqa: PLC0415 - as above

    if verb == "resume":
        open_ledger(settings)
    keys = keys_at_hand(settings) if _sealed_elsewhere(settings) else seal_keys(settings)
    return Ledger(documents_of(settings), uuid.uuid4().hex, time.time_ns, Seal(keys))


def _app_for(settings: Settings, verb: str) -> App:
    """The application; where policies do not load just now, still for what does not ask them."""
    try:
        return _app_of(settings, _policies_of(settings))
    except (Faults, UsageError) as fault:
        if verb not in _WITHOUT_POLICIES:
            raise
        first = str(fault).partition("\n")[0]
        print(safe(f"the policies do not load, and this goes on without them: {first}"), file=sys.stderr)
    return _app_of(settings, policy_set((), Config()))


def _policies_of(settings: Settings) -> PolicySet:
    from firebreak.policy_folder import load_policies  # noqa: PLC0415 - Google's clients come with sources of evidence

    require_folder(settings.policies)
    return load_policies(settings.policies, _quiet)


def _app_of(settings: Settings, policies: PolicySet) -> App:
    from firebreak.bootstrap import build  # noqa: PLC0415 - Google's clients come with it

    return build(settings, policies, _quiet)


def _quiet(severity: str, message: str, **fields: object) -> None:
    """What would be logged is on the record."""
