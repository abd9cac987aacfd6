"""Evidence into the vault: beside the containment and after it, never before it and never in its way."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from firebreak.core.cloud_run.workload import Workload
from firebreak.core.errors import Refused, Transient
from firebreak.core.facts import Evidence, Originals
from firebreak.core.findings.finding import Finding, Notification
from firebreak.core.incidents.incident import EvidenceLocation, Incident
from firebreak.core.incidents.phase import SETTLED
from firebreak.core.serialization import encode
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.decision.confirm import held_by_scc
from firebreak.response.decision.decide import Decided
from firebreak.response.decision.gather import Gathering
from firebreak.response.evidence.writer import Collection

AT_MOST = 10.0
"""Seconds that the vault may take once everything else is done."""
_HEAD_START = 5.0
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_LONGEST_PLACE = 50
_PASSING = frozenset({"owner", "lease_until_ns", "updated_ns", "next_ns", "outbox", "vault"})
"""Parts of a record that change without anything having happened."""


class Collecting:
    """A context manager around the containment: what was read before it is kept beside it, after a head start.

    What the settings were is gone from the cloud once they are written, so that this is not left until the end, when
    another process may have taken over.
    """

    def __init__(self, app: App, incident: str, originals: Iterable[tuple[str, Originals]], deadline: Deadline) -> None:
        """`originals` are what is in hand already."""
        self._collection = Collection(app, incident)
        self._first = tuple(originals)
        self._deadline = deadline
        self._acted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vault", daemon=True)

    def __enter__(self) -> Self:
        """Begin to wait."""
        self._thread.start()
        return self

    def _run(self) -> None:
        self._acted.wait(_HEAD_START)
        self._collection.add(self._first, self._deadline)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The containment is over, or has failed: no more waiting."""
        self._acted.set()

    def finish(self, held: StoredIncident, evidence: tuple[Evidence, ...], deadline: Deadline) -> StoredIncident:
        """Add what came later, and put where all of it is on the record; what did not work is a gap there."""
        app, until = self._collection.app, deadline.sooner(AT_MOST)
        self._thread.join(until.remaining())
        if self._thread.is_alive():
            return _recorded(app, held, EvidenceLocation(_uri(app, held), gaps=("the vault did not answer in time",)))
        began = {source for source, _ in self._first}
        self._collection.gaps += [f"{one.source}: {one.gap}" for one in evidence if one.gap]
        self._collection.add([(one.source, one.originals) for one in evidence if one.source not in began], until)
        return _finished(self._collection, held, until)


def beside(
    app: App, held: StoredIncident, told: Notification, found: Finding, decided: Decided, deadline: Deadline
) -> Collecting:
    """Keep the message, the finding as SCC holds it where that is another than was told, and what has been read."""
    sources = ((one.source, one.originals) for one in decided.gathering.evidence)
    originals = [*_message(told), *_finding(told, found), *sources, *map(_elsewhere, decided.further)]
    return Collecting(app, held.incident.id, originals, deadline)


def _elsewhere(workload: Workload) -> tuple[str, Originals]:
    """What was read of a further target: each of its originals under its own name with the place."""
    place = _NOT_IN_NAMES.sub("_", workload.target.place.lower())[:_LONGEST_PLACE]
    return workload.target.place, lambda: {f"{stem}_{place}": one for stem, one in workload.originals().items()}


def collect(
    app: App, claimed: StoredIncident, held: StoredIncident, told: Notification, deadline: Deadline
) -> StoredIncident:
    """Keep what there is of a settled incident of which nothing is kept yet: declined unread, or left by a crash.

    What was tried since it was claimed is not tried again: a vault that is away must not keep people waiting.
    """
    incident, before = held.incident, claimed.incident.vault
    if incident.phase not in SETTLED or incident.vault != before or (before and before.manifest):
        return held
    until = deadline.sooner(AT_MOST)
    collection = Collection(app, incident.id)
    collection.add(_message(told), until)
    if incident.decision is not None:
        collection.gaps.append("collected after the fact: the settings are those of now")
        evidence = Gathering.start(incident.finding, app.sources, app.enrichers, until, app.log).rest()
        collection.gaps += [f"{one.source}: {one.gap}" for one in evidence if one.gap]
        collection.add([*_asked_again(app, incident, until), *((one.source, one.originals) for one in evidence)], until)
    return _finished(collection, held, until)


def _message(told: Notification) -> Iterator[tuple[str, Originals]]:
    if told.raw:
        yield "message", lambda: {"message": told.raw}


def _finding(told: Notification, found: Finding) -> Iterator[tuple[str, Originals]]:
    if found.original is not None and found.original is not told.finding.original:
        yield "finding", lambda: {"finding": found.original}


def _asked_again(app: App, incident: Incident, deadline: Deadline) -> Iterator[tuple[str, Originals]]:
    """The finding as SCC holds it now."""

    def read() -> dict[str, object]:
        found = held_by_scc(app, incident.finding, deadline)
        return {"finding": found.original} if found else {}

    yield "finding", read


def _finished(collection: Collection, held: StoredIncident, deadline: Deadline) -> StoredIncident:
    """Keep the record as it stands, write the manifest, and put both on record."""
    app, incident = collection.app, held.incident
    whole = {key: value for key, value in encode(incident).items() if key not in _PASSING}
    collection.add([("incident", lambda: {"incident": whole})], deadline)
    try:
        kept = collection.manifest(deadline)
    except (Refused, Transient) as fault:
        collection.gaps.append(f"manifest: {fault}")
        kept = EvidenceLocation(_uri(app, held), gaps=collection.missing)
    return _recorded(app, held, kept)


def _recorded(app: App, held: StoredIncident, kept: EvidenceLocation) -> StoredIncident:
    if not kept.manifest:
        app.log("WARNING", "no evidence is kept in the vault", incident=held.incident.id, gaps=list(kept.gaps))
    return app.ledger.save(held, replace(held.incident, vault=kept))


def _uri(app: App, held: StoredIncident) -> str:
    return f"{app.vault.uri}/{held.incident.id}"
