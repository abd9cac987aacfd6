"""What Firebreak remembers: incidents, active containments and the halt, each one document under compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Hold, Standing
from firebreak.core.containment.canary import Canary
from firebreak.core.containment.slots import Slot, Slots
from firebreak.core.incidents.incident import Incident
from firebreak.core.serialization import encode
from firebreak.core.stored_body import SLOTS, Place
from firebreak.ledger.documents import Document, Exists, Index, Save, even_damaged
from firebreak.ledger.events import Events
from firebreak.ledger.halts import Halts
from firebreak.ledger.incidents import there
from firebreak.ledger.records import (
    BrokenSeal,
    NotActedOn,
    Record,
    UnreadableRecord,
    decoded,
    standing_in,
    unreadable,
)

_KEPT_NS = 86_400 * 1_000_000_000
"""How long a canary is remembered once it is none any more."""
_MOST_NAMES = 10
"""Of one resource: there are two, and whoever plants others has no key."""


@dataclass(frozen=True, slots=True)
class Ledger(Events):
    """Incidents, the events that led to them, active containments, slots and the halt, over a store of documents."""

    def standing(self, target: Target, uid: str = "") -> tuple[Standing, Document | None]:
        """What is contained on a target, and its document, or None; raises NotActedOn if the record is unusable.

        Where nothing stands under its name, what stands on the resource of that uid under another: id and number of a
        project are two names.
        """
        found = self.standing_at(target.key)
        return self.standing_beside(found, uid) if uid else found

    def standing_beside(self, found: tuple[Standing, Document | None], uid: str) -> tuple[Standing, Document | None]:
        """What was found under a name, or what stands on the resource of that uid under another, if nothing does."""
        standing, document = found
        if standing.holds:
            return found
        about = list(self.sealed.each(self.documents.about("standing", uid, _MOST_NAMES)))
        named = [(standing_in(one), one.document) for one in about if one.document.key != standing.target]
        others = [one for one in named if one[0].uid == uid]
        chosen = [one for one in others if one[0].holds] or (others if document is None else [])
        return chosen[0] if len(chosen) == 1 else found

    def standing_of(self, incident: Incident, target: Target) -> tuple[Standing, Document | None]:
        """What stands on a target of the incident, under whichever name of its project; raises NotActedOn."""
        return self.standing(target, incident.uid_of(target))

    def held_targets(self, incident: Incident) -> tuple[tuple[Target, Hold], ...]:
        """Every target on which this incident has a hold, the finding's own first; raises NotActedOn."""
        return tuple(
            (target, hold)
            for target in incident.targets
            for hold in self.standing_of(incident, target)[0].holds
            if hold.incident == incident.id
        )

    def stands(self, incident: Incident) -> bool:
        """Whether any of its containments is in effect; where that cannot be told, it is taken to be."""
        try:
            return any(self.standing_of(incident, one)[0].in_effect(incident.id) for one in incident.targets)
        except NotActedOn:
            return incident.done is not None

    def holds_any(self, incident: Incident) -> bool:
        """Whether this incident has a hold anywhere, of something that may be in effect or not; in doubt it has."""
        try:
            return bool(self.held_targets(incident))
        except NotActedOn:
            return incident.done is not None

    def standing_at(self, key: str) -> tuple[Standing, Document | None]:
        """What is contained under that name, whatever resource has it now; raises as `standing` does."""
        record = self.sealed.read(Place("standing", key))
        return (standing_in(record), record.document) if record else (Standing(key), None)

    def standing_save(self, standing: Standing, document: Document | None, *, anew: bool = False) -> Save:
        """What is to be saved of a target, over the version that was read; `anew`: or over what is broken or gone."""
        held = [Place("incident", one.incident).name for one in standing.holds]
        earlier = {name: floor for name, floor in standing.floors.items() if name not in held}
        body = {**encode(standing), "floors": {**earlier, **{name: standing.floors.get(name, 0) for name in held}}}
        return Save("standing", standing.target, body, Index(subject=standing.uid), there(document), anew)

    def slots(self) -> tuple[Slots, Document | None]:
        """The slots that are in use, and their document, or None.

        Raises NotActedOn where that cannot be told, which counts as used up.
        """
        record = self.sealed.read(SLOTS)
        if record is None:
            self.sealed.learn(again=True)  # others may have taken the first ones since this process began
            record = self.sealed.read(SLOTS)
        if record is None:
            return Slots(self._slots_before()), None
        return decoded(Slots, record).of_last_hour(self.now_ns()), record.document

    def slots_save(self, slots: Slots, document: Document | None) -> Save:
        """What is to be saved of the slots, over the version that was read."""
        return Save(SLOTS.kind, SLOTS.key, encode(slots), over=there(document))

    def mend_slots(self) -> str | None:
        """Begin the slots anew where they cannot be read, used up for an hour; what was wrong, or None."""
        try:
            self.slots()
        except (UnreadableRecord, BrokenSeal) as fault:
            self.commit(replace(self.slots_save(Slots(lost_ns=self.now_ns()), fault.document), anew=True))
            return str(fault)
        return None

    def _slots_before(self) -> tuple[Slot, ...]:
        """What versions up to 41af992 kept in one document of all incidents; it is only read."""
        document = even_damaged(lambda: self.documents.read(SLOTS.kind, "all"))
        if document is None:
            return ()
        taken = document.body.get("slots")
        if not isinstance(taken, Mapping) or any(type(at_ns) is not int for at_ns in taken.values()):
            raise unreadable(document, "it is not what versions up to 41af992 kept")
        slots = (Slot(one, self._target_of(one), at_ns) for one, at_ns in taken.items())
        return Slots(tuple(slots)).of_last_hour(self.now_ns()).taken

    def _target_of(self, incident_id: str) -> Target:
        """The finding's own target; where that is not known, one that may be in any project."""
        held = self.read(incident_id)
        target = held.incident.finding.target if held else None
        return target if isinstance(target, Target) else Target("", "", "service", incident_id)

    def canary(self, uid: str) -> Canary | None:
        """The drill's canary of that uid, or None; raises NotActedOn where the record is not to be believed."""
        record = self.sealed.read(Place("drill", uid))
        return decoded(Canary, record) if record else None

    def canaries(self, limit: int) -> list[Canary]:
        """The canaries that were announced last, of those that are to be believed."""
        found = []
        for record in self.sealed.each(self.documents.newest("drill", limit)):
            with suppress(NotActedOn):
                if isinstance(record, Record):
                    found.append(decoded(Canary, record))
        return found

    def keep_canary(self, canary: Canary) -> None:
        """Note a canary, once; raises Conflict, or NoKey."""
        index = Index(expires_ns=canary.expires_ns + _KEPT_NS)
        self.commit(Save("drill", canary.uid, encode(canary), index))

    def keep_unreadable(self, digest: str) -> None:
        """Record a message that could not be read, once for each content, by its digest alone."""
        with suppress(Exists):
            self.documents.create("unreadable", digest, {"at_ns": self.now_ns()})

    @property
    def halts(self) -> Halts:
        """The halt, sealed with our key."""
        return Halts(self.documents, self.now_ns, self.seal, self.floors)

    def halt_reason(self) -> str | None:
        """Why everything is halted, as a sentence; None if it is not. A halt that cannot be read counts as set."""
        return self.halts.halt_reason()

    def halt(self, reason: str, by: str) -> None:
        """Set the halt, in the place of one that stands."""
        self.halts.halt(reason, by)
