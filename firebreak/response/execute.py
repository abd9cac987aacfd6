"""Carrying out a command once, however often it is delivered: its answer is kept where whoever gave it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from firebreak.core.errors import Malformed
from firebreak.core.incidents.command import Command, CommandResult, kept_answer
from firebreak.core.secrets.redaction import safe
from firebreak.core.timestamps import NANOS
from firebreak.ledger.documents import Damaged, Document, Index
from firebreak.response.app import App

_KEPT_NS = 30 * 86_400 * NANOS


def execute_once(app: App, command: Command, act: Callable[[], CommandResult]) -> CommandResult:
    """The answer to the command: the one that is kept, or what `act` comes to.

    Raises Transient to be told again, also where it is carried out twice at once: then the one who came first has
    answered. Malformed where the id is another command's.
    """
    begun = {"verb": command.verb, "by": command.by, "incident": command.incident, "at_ns": app.now_ns()}
    document = _known(app, command, begun) or app.ledger.documents.create("command", command.id, begun, _index(app))
    if any(document.body.get(key) != begun[key] for key in ("verb", "by", "incident")):
        message = f"another command had the id {command.id}"
        raise Malformed(message)
    if known := _ours(app, document):
        return known
    result = act()
    kept = {"done": result.done, "says": safe(result.says), "incident": result.incident}
    kept |= {"unreached": True} if result.unreached else {}
    body = {**begun, "answer": kept}
    seal = {"seal": app.ledger.seal.sign(_purpose(command.id), body)} if app.ledger.seal.keys else {}
    app.ledger.documents.replace(document, body | seal, _index(app))
    return result


def _ours(app: App, document: Document) -> CommandResult | None:
    """The answer, if we gave it: else whoever can write the ledger would have us say that a thing is done."""
    said = {key: document.body.get(key) for key in ("verb", "by", "incident", "at_ns", "answer")}
    known = not app.ledger.seal.keys or app.ledger.seal.check(_purpose(document.key), said, document.body.get("seal"))
    return kept_answer(document.body) if known else None


def _known(app: App, command: Command, begun: Mapping[str, Any]) -> Document | None:
    """What is kept of it. Damaged, it is begun anew: what was done already is told by the ledger."""
    try:
        return app.ledger.documents.read("command", command.id)
    except Damaged as fault:
        return app.ledger.documents.replace(fault.document, begun, _index(app))


def _purpose(command_id: str) -> str:
    return f"answer to {command_id}"


def _index(app: App) -> Index:
    return Index(expires_ns=app.now_ns() + _KEPT_NS)
