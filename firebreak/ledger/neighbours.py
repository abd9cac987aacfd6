"""What the incidents on one workload have to do with each other: read and checked once, however many they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from firebreak.core.incidents.earlier import Neighbour, neighbour_of
from firebreak.core.stored_body import FORMAT, Place
from firebreak.ledger.documents import Document
from firebreak.ledger.records import NotActedOn, Record, incident_in

_MOST = 5_000
"""Some kilobytes each: of the last so many records."""


class Neighbours:
    """Incidents as others see them, by the seals that this process has checked. Safe between threads.

    A seal is of one record as it was saved once: whoever has no key cannot put another one under it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[int, Neighbour]] = {}
        self._lock = threading.Lock()

    def of(
        self, document: Document, floors: Mapping[str, int], opened: Callable[[Document, int], Record]
    ) -> Neighbour | NotActedOn:
        """The incident in a document, or why it cannot be read; one put back is as if it had not been seen."""
        place, seal = Place(document.kind, document.key), document.body.get("seal")
        floor, known = floors.get(place.name, 0), (place.key, str(seal))
        with self._lock:
            counter, found = self._known.get(known, (0, None))
        if found is not None and counter >= floor:
            return found
        try:
            record = opened(document, floor)
            held = incident_in(record)
        except NotActedOn as fault:
            return fault
        found = neighbour_of(held.incident, held.sealed)
        if held.sealed and record.opened.format == FORMAT:
            with self._lock:
                self._known[known] = record.opened.counter, found
                while len(self._known) > _MOST:
                    del self._known[next(iter(self._known))]
        return found
