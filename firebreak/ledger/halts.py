"""The halt in the ledger: set, read and lifted with nothing but its store, so that it works when little else does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from firebreak.core.containment.halt import Halt, halt_of
from firebreak.core.errors import Transient
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.ledger.documents import Conflict, Documents, Save

HALTED = "halted: nothing is written until `firebreak resume`; releases by a person still work"
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Halts:
    """The one halt of a store of documents. It is not sealed, so that no key is needed to stop everything."""

    documents: Documents
    now_ns: Callable[[], int]

    def halt_reason(self) -> str | None:
        """Why everything is halted, or None. A halt that cannot be read counts as set."""
        try:
            halt = self.standing_halt()
        except Transient:
            return "the halt cannot be read, which counts as set"
        return str(halt) if halt else None

    def standing_halt(self) -> Halt | None:
        """The halt that stands, or None; raises Transient where that cannot be read."""
        document = self.documents.read("halt", "halt")
        return halt_of(document.body) if document else None

    def halt(self, reason: str, by: str) -> None:
        """Set the halt, in the place of one that stands."""
        if not reason:
            message = "a halt has a reason"
            raise ValueError(message)
        body = {"reason": reason, "by": by, "at_ns": self.now_ns()}
        for _ in range(_TRIES):
            document = self.documents.read("halt", "halt")
            with suppress(Conflict):
                self.documents.commit([Save("halt", "halt", body, over=document)])
                return
        message = "others keep changing the halt; try again"
        raise Transient(message)

    def lift(self, halt: Halt, by: str) -> None:
        """Lift this halt and no other; raises Conflict where another one was set meanwhile."""
        document = self.documents.read("halt", "halt")
        if document is None or halt_of(document.body) != halt:
            message = "the halt was changed at this very moment; look again"
            raise Conflict("halt", "halt", message)
        self.documents.replace(document, {"reason": "", "by": by, "at_ns": self.now_ns()})

    def obey(self, command: Command) -> CommandResult:
        """Set the halt or lift it, as the command says; raises Transient where the store cannot be reached."""
        if command.verb == "halt":
            self.halt(command.reason, command.by)
            return CommandResult(done=True, says=HALTED)
        halt = self.standing_halt()
        if halt is None:
            return CommandResult(done=False, says="nothing is halted")
        if against := _stays(halt, command):
            return CommandResult(done=False, says=f"the halt stays ({halt}): {against}")
        self.lift(halt, command.by)
        return CommandResult(done=True, says="the halt is lifted")


def _stays(halt: Halt, command: Command) -> str:
    """Why the order does not mean this halt; empty if it does."""
    again = "say `firebreak resume` again if it is to be lifted too"
    if command.halt:
        return "" if int(command.halt) == halt.at_ns else f"the order names another one; {again}"
    if command.sent_ns is None:
        return (
            "the order says neither which one it lifts nor when it was sent; give `halt`, the time at which it was set"
        )
    return "" if halt.at_ns <= command.sent_ns else f"it was set after the order was sent; {again}"
