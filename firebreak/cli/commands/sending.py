"""A decision told to the function over the commands topic, and its answer read from the ledger."""

from __future__ import annotations

from firebreak.adapters.storage.ledger_store import documents_to_read
from firebreak.core.errors import Refused, Transient
from firebreak.core.incidents.command import Command, CommandResult, kept_answer
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline
from firebreak.settings import Settings

_PATIENCE_SECONDS = 180.0


def send(settings: Settings, command: Command) -> CommandResult:
    """Tell the function, and read the ledger until its answer is there; raises Transient where none comes."""
    from firebreak.adapters.google.pubsub import Publisher  # noqa: PLC0415 - Google's client is heavy, and a local ledger needs none

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
    documents, backoff = documents_to_read(settings), Backoff(deadline, 0.2, longest=2.0, growth=1.3)
    while True:
        # A local ledger may be made by the function as it answers.
        documents = documents or documents_to_read(settings)
        try:
            document = documents.read("command", command.id) if documents else None
        except Transient as fault:
            message = f"its answer could not be read: {fault}"
            raise Transient(message) from None
        if document is not None and (answer := kept_answer(document.body)):
            return answer
        if not backoff.wait():
            break
    message = (
        "is not answered yet; it is carried out once the function gets to it: look again with `firebreak incident list`"
    )
    raise Transient(message)
