"""The halt in the ledger: set, read and lifted with nothing but its store, so that it works when little else does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from firebreak.core.containment.halt import Halt, counts_as_halted, halt_of
from firebreak.core.errors import Transient
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.core.signing import NoKey, Seal, Sealed
from firebreak.core.stored_body import HALT
from firebreak.ledger.documents import Conflict, Damaged, Document, Documents, Save, even_damaged
from firebreak.ledger.records import NotActedOn
from firebreak.ledger.sealed import Floors, SealedDocuments

HALTED = "halted: nothing is written until `firebreak resume`; releases by a person still work"
_TRIES = 20
_NO_KEY = Seal(())


@dataclass(frozen=True, slots=True)
class Halts:
    """The one halt of a store of documents.

    It is sealed, so that nobody lifts it without the key; but no key is needed to stop everything: a halt without a
    seal stands as well, and so does one whose seal is broken, or that was deleted or put back to an older one.
    """

    documents: Documents
    now_ns: Callable[[], int]
    seal: Seal = _NO_KEY
    floors: Floors = field(default_factory=Floors)

    def halt_reason(self) -> str | None:
        """Why everything is halted, or None. A halt that cannot be read counts as set."""
        try:
            halt = self.standing_halt()
        except Transient:
            return "the halt cannot be read, which counts as set"
        return str(halt) if halt else None

    def standing_halt(self) -> Halt | None:
        """The halt that stands, or None; raises Transient where that cannot be read."""
        return self._read()[0]

    def halt(self, reason: str, by: str) -> None:
        """Set the halt, in the place of one that stands."""
        if not reason:
            message = "a halt has a reason"
            raise ValueError(message)
        for _ in range(_TRIES):
            document = even_damaged(lambda: self.documents.read(HALT.kind, HALT.key))
            with suppress(Conflict):
                self._save(reason, by, document)
                return
        message = "others keep changing the halt; try again"
        raise Transient(message)

    def lift(self, halt: Halt, by: str) -> None:
        """Lift this halt and no other; raises NoKey, and Conflict where another one was set meanwhile."""
        found, document = self._read()
        if not self.seal.keys:
            raise NoKey
        if found != halt:
            raise Conflict(HALT.kind, HALT.key, "the halt was changed at this very moment; look again")
        self._save("", by, document)

    def _read(self) -> tuple[Halt | None, Document | None]:
        """What stands, and the document that says so."""
        self._sealed.learn()
        floor = self.floors.of(HALT.name)
        try:
            document = self.documents.read(HALT.kind, HALT.key)
        except Damaged as fault:
            return counts_as_halted("the record of the halt is damaged"), fault.document
        told = halt_of(document.body) if document else None
        if document is not None and "format" in document.body:
            # What it says stands whatever its seal is; its counter is known from here on all the same.
            under_seal = self._under_seal(document, floor)
            return told or under_seal or self._crowded(), document
        # Versions that knew no seal lifted it with an empty reason; where there was a seal, nobody does.
        unknown = counts_as_halted("the halt was deleted, or lifted without the key") if floor else None
        return told or unknown or self._crowded(), document

    def _crowded(self) -> Halt | None:
        """Where what others know of the halt is hidden among records that nobody can believe."""
        if not self.floors.crowded:
            return None
        return counts_as_halted("the ledger's newest records cannot be believed; remove them, and start anew")

    def _under_seal(self, document: Document, floor: int) -> Halt | None:
        try:
            opened = self._sealed.opened(document, floor).opened
        except NotActedOn:
            return counts_as_halted("the record of the halt cannot be read")
        if opened.sealed is Sealed.BROKEN or not opened.acts:
            return counts_as_halted("the halt was changed, or put back to an older one, without the key")
        return halt_of(opened.value)

    def _save(self, reason: str, by: str, document: Document | None) -> None:
        said = {"reason": reason, "by": by, "at_ns": self.now_ns()}
        save = Save(HALT.kind, HALT.key, said, over=document, anew=True)
        if self.seal.keys:
            self._sealed.commit(save)
        else:
            self.documents.commit([replace(save, body={**(document.body if document else {}), **said})])

    @property
    def _sealed(self) -> SealedDocuments:
        return SealedDocuments(self.documents, self.seal, self.floors, self.now_ns)

    def obey(self, command: Command) -> CommandResult:
        """Set the halt or lift it, as the command says; raises Transient where the store cannot be reached."""
        if command.verb == "halt":
            before = self.halt_reason()
            self.halt(command.reason, command.by)
            instead = f"; it takes the place of what stood: {before}" if before else ""
            return CommandResult(done=True, says=f"{HALTED}{instead}")
        halt = self.standing_halt()
        if halt is None:
            return CommandResult(done=False, says="nothing is halted")
        if against := _stays(halt, command):
            return CommandResult(done=False, says=f"the halt stays ({halt}): {against}")
        try:
            self.lift(halt, command.by)
        except NoKey as fault:
            return CommandResult(done=False, says=f"the halt stays ({halt}): {fault}")
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
