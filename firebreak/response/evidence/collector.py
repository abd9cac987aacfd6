"""Evidence into the vault: beside the containment and after it, never before it and never in its way."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace

from firebreak.core.cloud_run.workload import Workload
from firebreak.core.errors import Refused, Transient
from firebreak.core.facts import Originals
from firebreak.core.findings.finding import Finding, Notification
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.evidence_record import evidence_record
from firebreak.core.incidents.incident import EvidenceLocation, Incident
from firebreak.core.incidents.phase import WORKING
from firebreak.core.serialization import encode
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import tell_of_answers
from firebreak.response.app import App
from firebreak.response.confirm import Confirmed
from firebreak.response.decide import Decided
from firebreak.response.evidence.writer import Collection
from firebreak.response.gather import Gathering
from firebreak.response.readings import Readings
from firebreak.response.shadow import with_shadow

AT_MOST = 10.0
"""Seconds that the vault may take once everything else is done."""
_HEAD_START = 5.0
_LATE = 1.0
"""Seconds within which sources answer on an ordinary day: what takes longer is told of by itself."""
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_LONGEST_PLACE = 50
_PASSING = frozenset({"owner", "lease_until_ns", "updated_ns", "next_ns", "outbox", "vault"})
"""Parts of a record that change without anything having happened."""


class Collecting:
    """What one delivery or command keeps of an incident: what was read is kept beside the containment, and after it.

    What the settings were is gone from the cloud once they are written, so that this is not left until the end, when
    another process may have taken over. Copies begin after a head start of the containment.
    """

    def __init__(self, app: App, told: Notification | None, deadline: Deadline) -> None:
        """`told` is the message that led here, if one did."""
        self._app = app
        self._told = told
        self._deadline = deadline
        self._acted = threading.Event()
        self._collection: Collection | None = None
        self._decided: Decided | None = None
        self._first: tuple[tuple[str, Originals], ...] = ()
        self._thread: threading.Thread | None = None

    def begin(self, held: StoredIncident, confirmed: Confirmed, decided: Decided) -> None:
        """Keep the message, the finding where SCC holds another than was told, and what was read for the decision."""
        sources = ((one.source, one.originals) for one in decided.gathering.evidence)
        elsewhere = (_elsewhere(one.workload) for one in decided.around.seen[1:] if one.workload)
        told = self._told
        message = [] if told is None else [*_message(told), *_finding(told, confirmed.finding)]
        self._first = (*message, *sources, *elsewhere)
        self._collection, self._decided = Collection(self._app, held.incident.id), decided
        self._thread = threading.Thread(
            target=self._run, args=(self._collection, self._first), name="vault", daemon=True
        )
        self._thread.start()

    def _run(self, collection: Collection, originals: tuple[tuple[str, Originals], ...]) -> None:
        self._acted.wait(_HEAD_START)
        collection.add(originals, self._deadline)

    @property
    def late(self) -> frozenset[str]:
        """Sources for whose answers nothing that is in effect should wait to be told."""
        return self._decided.gathering.late(_LATE) if self._decided else frozenset()

    def finish(self, held: StoredIncident, told_without: frozenset[str] = frozenset()) -> StoredIncident:
        """Add what came later, and put where all of it is on the record; what did not work is a gap there.

        What was told without some sources' answers is to be told with them.
        """
        self._acted.set()
        app, until = self._app, self._deadline.sooner(AT_MOST)
        if self._thread is None or self._collection is None or self._decided is None:
            return _collect(app, held, self._told, until)
        evidence = self._decided.gathering.rest()
        shown = tuple(evidence_record(one) for one in evidence)
        verdict = assess(held.incident.finding, evidence)
        incident = replace(held.incident, evidence=shown, verdict=verdict)
        if shown != self._decided.incident.evidence:
            incident = with_shadow(app, incident, self._decided)
        held = replace(held, incident=tell_of_answers(app, incident, told_without) if told_without else incident)
        self._thread.join(until.remaining())
        if self._thread.is_alive():
            return _recorded(app, held, EvidenceLocation(_uri(app, held), gaps=("the vault did not answer in time",)))
        began = {source for source, _ in self._first}
        self._collection.gaps += [f"{one.source}: {one.gap}" for one in evidence if one.gap]
        self._collection.add([(one.source, one.originals) for one in evidence if one.source not in began], until)
        return _finished(self._collection, held, until)


def _elsewhere(workload: Workload) -> tuple[str, Originals]:
    """What was read of a further target: each of its originals under its own name with the place."""
    place = _NOT_IN_NAMES.sub("_", workload.target.place.lower())[:_LONGEST_PLACE]
    return workload.target.place, lambda: {f"{stem}_{place}": one for stem, one in workload.originals().items()}


def _collect(app: App, held: StoredIncident, told: Notification | None, until: Deadline) -> StoredIncident:
    """Keep what there is of an incident of which nothing is kept yet: declined unread, or left by a crash.

    What was tried before is not tried again: a vault that is away must not keep people waiting.
    """
    incident = held.incident
    if told is None or incident.phase in WORKING or (incident.vault is not None and incident.vault.manifest):
        return held
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
        found = Readings(app, incident, deadline).finding(incident.finding)
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
