"""Documents under a seal: each save has a counter one higher than the last, so that none is put back unnoticed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from firebreak.core.signing import NoKey, Seal, Sealed
from firebreak.core.stored_body import ACTS_FROM, FORMAT, HALT, SLOTS, OpenedBody, Place, seal_body
from firebreak.ledger.documents import Conflict, Damaged, Document, Documents, Save, even_damaged
from firebreak.ledger.records import NotActedOn, Record, gone, open_record, unreadable

SEALED = frozenset({"incident", "standing", "halt", "slots", "event", "drill"})
"""The kinds that are sealed; every other kind is saved as it is."""
_UNTOLD = ("event ", "drill ")
"""Of these others tell no counters: an event is made once, and so is a canary, which an hour makes void."""
_WITH_FLOORS = frozenset({"incident", "standing"})
_MOST_FLOORS = 50
_MOST_KNOWN = 10_000
_LEARNED_FROM = 20
_MOST_LOOKED_AT = 500
_GOSSIP = 30
"""Of what this process has met last, so much goes with each record: what is put back alone is known by others."""


class Floors:
    """The lowest counter that each sealed record may have, as far as this process knows. Safe between threads.

    Of all places the last ones that anything was heard of are kept.
    """

    def __init__(self) -> None:
        self.learned = False
        self.crowded = False
        self._known: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> int:
        """The lowest counter that the record of that name may have; 0 where nothing is known, also not that it is."""
        with self._lock:
            return self._known.get(name, 0)

    def note(self, counters: Mapping[str, int]) -> None:
        """Remember what was seen, or what a verified record tells."""
        with self._lock:
            for name, counter in counters.items():
                self._known[name] = max(self._known.pop(name, 0), counter)
            while len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]

    def now(self) -> Mapping[str, int]:
        """All of them, as they are at this moment, what was heard of last at the end."""
        with self._lock:
            return dict(self._known)


@dataclass(frozen=True, slots=True)
class SealedDocuments:
    """Records of a store of documents, sealed as they are saved and checked as they are read.

    A record tells, under its seal, the lowest counters that others may have (`floors`). A lower one, or none where one
    is known, is as a broken seal; a higher one is only newer.
    """

    documents: Documents
    seal: Seal
    floors: Floors
    now_ns: Callable[[], int]

    def read(self, place: Place) -> Record | None:
        """The record at that place, or None; raises NotActedOn where it cannot be read, or is gone."""
        self.learn()
        floor = self.floors.of(place.name)  # asked before the reading: what is saved meanwhile is no older
        try:
            document = self.documents.read(place.kind, place.key)
        except Damaged as fault:
            raise unreadable(fault.document, "it is damaged", fault.text) from None
        if document is None:
            if floor:
                raise gone(place)
            return None
        return self.opened(document, floor)

    def each(self, found: Iterable[Document]) -> Iterator[Record | NotActedOn]:
        """Every document of a list as the record that it is, or why it cannot be read."""
        floors = self.floors.now()
        for document in found:
            try:
                yield self.opened(document, floors.get(Place(document.kind, document.key).name, 0))
            except NotActedOn as fault:
                yield fault

    def opened(self, document: Document, floor: int) -> Record:
        """The record in a document that was read after `floor` was known; raises NotActedOn."""
        record = open_record(document, self.seal, floor)
        if record.opened.sealed and record.opened.counter:
            self.floors.note({record.place.name: record.opened.counter, **_floors(record.opened.value)})
        return record

    def needs_new_seal(self, record: Record) -> bool:
        """Whether an older key sealed what is whole, or it was saved in an older format."""
        first = Seal(self.seal.keys[:1])
        return record.opened.format < FORMAT or not open_record(record.document, first).opened.sealed

    def counters(self, most: int) -> dict[str, int]:
        """The counters of halt, slots, and so many incidents and targets that were saved last; of what is whole."""
        last = [one for kind in ("incident", "standing") for one in self.documents.newest(kind, most)]
        found = {Place(one.kind, one.key).name: self._counter_in(one) for one in last}
        found |= {place.name: self.counter(place.name) for place in (HALT, SLOTS)}
        return {name: counter for name, counter in found.items() if counter}

    def counter(self, name: str) -> int | None:
        """The counter of the record of that name, 0 where there is none; None where its seal is broken."""
        kind, _, key = name.partition(" ")
        place = {HALT.name: HALT, SLOTS.name: SLOTS}.get(name, Place(kind, key))
        document = even_damaged(lambda: self.documents.read(place.kind, place.key))
        return self._counter_in(document) if document else 0

    def _counter_in(self, document: Document) -> int | None:
        with suppress(NotActedOn):
            opened = open_record(document, self.seal).opened
            return opened.counter if opened.sealed or not opened.counter else None
        return None

    def learn(self, *, again: bool = False) -> None:
        """Once in each process, before anything is believed: what the records that were saved last know of others.

        So many that are whole are read of each kind; where what is not hides them, the halt counts as set.
        """
        if (self.floors.learned and not again) or not self.seal.keys:
            return
        crowded = False
        for kind in sorted(_WITH_FLOORS):
            whole = 0
            for number, record in enumerate(self.each(self.documents.newest(kind, _MOST_LOOKED_AT)), 1):
                whole += isinstance(record, Record) and bool(record.opened.sealed)
                if whole == _LEARNED_FROM:
                    break
                crowded = crowded or number == _MOST_LOOKED_AT
        self.floors.learned, self.floors.crowded = True, crowded

    def commit(self, *saves: Save) -> list[tuple[Document, Mapping[str, Any]]]:
        """Seal each and save all of them or none; the documents, and what was sealed in them, floors included.

        The body of what is sealed is the record's JSON. What is broken or gone is saved `anew` alone, with a counter
        above all that any record may know of it. Raises Conflict, NoKey or TooLarge.
        """
        if not self.seal.keys:
            raise NoKey
        over = {_place(one): self._over(one) for one in saves if one.kind in SEALED}
        counters = {_place(one).name: self._counter(one, over[_place(one)]) for one in saves if one.kind in SEALED}
        values = [self._value(one, counters) for one in saves]
        writes = [self._write(one, value, over, counters) for one, value in zip(saves, values, strict=True)]
        documents = self.documents.commit(writes)
        self.floors.note(counters)
        return list(zip(documents, values, strict=True))

    def _over(self, save: Save) -> OpenedBody | None:
        """What is saved over, as far as it is whole; an empty one at 0 where nothing is, and None where it is not."""
        floor = self.floors.of(_place(save).name)
        if save.over is None:
            return None if floor else _NOTHING
        with suppress(NotActedOn):
            opened = open_record(save.over, self.seal, floor).opened
            return opened if opened.sealed else None
        return None

    def _counter(self, save: Save, over: OpenedBody | None) -> int:
        if over is not None:
            return over.counter + 1
        if save.anew:
            return max(self.floors.of(_place(save).name) + 1, self.now_ns())
        raise Conflict(save.kind, save.key)

    def _value(self, save: Save, counters: Mapping[str, int]) -> Mapping[str, Any]:
        """The record's JSON, with the lowest counters that halt, slots and the records it is saved with may have."""
        if save.kind not in _WITH_FLOORS:
            return save.body
        told, own = _floors(save.body), _place(save).name
        beside = [name for name in counters if name != own and not name.startswith(_UNTOLD)]
        last = dict.fromkeys((HALT.name, SLOTS.name, *beside))
        known = list(told)
        if save.kind == "incident":
            met = [name for name in self.floors.now() if name != own and not name.startswith(_UNTOLD)]
            known = [*dict.fromkeys((*met[-_GOSSIP:], *(name for name in told if name.startswith("standing "))))]
        names = [*(name for name in known if name not in last), *last]
        lowest = {name: counters.get(name) or max(told.get(name, 0), self.floors.of(name)) for name in names}
        some = [(name, floor) for name, floor in lowest.items() if floor]
        return {**save.body, "floors": dict(some[-_MOST_FLOORS:])}

    def _write(
        self, save: Save, value: Mapping[str, Any], over: Mapping[Place, OpenedBody | None], counters: Mapping[str, int]
    ) -> Save:
        place = _place(save)
        if place not in over:
            return save
        before = save.over.body if save.over and over[place] and not save.anew else {}
        body = seal_body(place, value, self.seal, before, counters[place.name])
        # Who has no key reads the halt beside its seal, and so do versions that know of none.
        return replace(save, body={**body, **value} if place == HALT else body)


_NOTHING = OpenedBody({}, Sealed.HOLDS, FORMAT, ACTS_FROM)


def _place(save: Save) -> Place:
    return Place(save.kind, save.key)


def _floors(value: Mapping[str, Any]) -> Mapping[str, int]:
    """What a record tells of others."""
    found = value.get("floors")
    return found if isinstance(found, Mapping) else MappingProxyType({})
