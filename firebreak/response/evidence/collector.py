"""Evidence into the vault: beside the containment and after it, never before it and never in its way."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from firebreak.core.cloud_run.workload import Workload
from firebreak.core.code_location import kind_and_place
from firebreak.core.errors import Refused, Transient
from firebreak.core.evidence.manifest import (
    MANIFEST,
    Entry,
    Manifest,
    digest,
    entry_of,
    manifest_entry,
    name_of,
    number_of,
    read_manifest,
    sealed_copy,
    sealed_manifest,
)
from firebreak.core.facts import Evidence, Originals
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import Notification
from firebreak.core.findings.verdict import assess
from firebreak.core.incidents.evidence_record import EvidenceLocation, evidence_record
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import WORKING
from firebreak.core.secrets.redaction import safe
from firebreak.core.serialization import encode
from firebreak.core.timestamps import format_instant
from firebreak.ledger.records import StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.response.announce import tell_of_answers
from firebreak.response.app import App
from firebreak.response.confirm import Confirmed
from firebreak.response.decide import Decided
from firebreak.response.observe import NOT_YET, Gathering
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
        if app.policies.shadowed and shown != self._decided.incident.evidence:
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
        held = replace(held, incident=_brought_up_to_date(app, incident, evidence))
        collection.gaps += [f"{one.source}: {one.gap}" for one in evidence if one.gap]
        collection.add([*_asked_again(app, incident, until), *((one.source, one.originals) for one in evidence)], until)
    return _finished(collection, held, until)


def _brought_up_to_date(app: App, incident: Incident, evidence: tuple[Evidence, ...]) -> Incident:
    """With the answers of those sources that had not answered when an earlier delivery ended."""
    late = frozenset(one.source for one in incident.evidence if one.gap == NOT_YET)
    if not late:
        return incident
    came = {one.source: evidence_record(one) for one in evidence}
    shown = tuple(came[one.source] if one.source in late & came.keys() else one for one in incident.evidence)
    verdict = assess(incident.finding, tuple(Evidence(one.source, one.facts, one.gap) for one in shown))
    known = replace(incident, evidence=shown, verdict=verdict)
    return known if incident.unsent else tell_of_answers(app, known, late)


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


_MOST_VERSIONS = 50
_AT_ONCE = 4
_LONGEST = 500


@dataclass
class Collection:
    """What was put into the vault for one incident so far, and what could not be."""

    app: App
    incident: str
    entries: dict[str, Entry] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    @property
    def missing(self) -> tuple[str, ...]:
        """The gaps, each once, and safe to show: they quote what others answered."""
        return tuple(sorted({safe(one, _LONGEST) for one in self.gaps}))

    def add(self, originals: Iterable[tuple[str, Originals]], deadline: Deadline) -> None:
        """Keep copies of these, several at once; one that fails is a gap, and the others go on."""
        found: dict[str, object] = {}
        for source, read in originals:
            self._isolated(source, lambda read=read: found.update(read()))  # type: ignore[misc]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="vault") as pool:
            for stem, original in sorted(found.items()):
                pool.submit(self._isolated, stem, lambda s=stem, o=original: self._keep(s, o, deadline))  # type: ignore[misc]

    def _isolated(self, what: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (Refused, Transient) as fault:
            self.gaps.append(f"{what}: {fault}")
        except Exception as fault:  # noqa: BLE001 - evidence that cannot be kept must not undo what was done
            self.gaps.append(f"{what}: no copy could be made ({kind_and_place(fault)})")
            told = f"a fault in Firebreak itself, at the copy of {what}: {kind_and_place(fault)}"
            self.app.log("ERROR", told, incident=self.incident)

    def _keep(self, stem: str, original: object, deadline: Deadline) -> None:
        seal = self.app.ledger.seal
        data = sealed_copy(self.incident, stem, original, seal)
        name = put(self.app, self.incident, stem, data, deadline)
        if entry := entry_of(name, data, self.incident, seal):
            self.entries[name] = entry

    def manifest(self, deadline: Deadline) -> EvidenceLocation:
        """Name all that is there, from now and from before, in a manifest; raises Refused or Transient.

        Where nothing has changed, the last one stands. It is named by the next, so that none is lost unnoticed.
        """
        names = self.app.vault.names(self.incident, deadline)
        newest = name_of(MANIFEST, max((number_of(MANIFEST, name) or 0 for name in names), default=0) or 1)
        before, data = self._before(newest, deadline) if newest in names else (None, b"")
        stated = {one.name: one for one in before.objects} if before else {}
        for name in sorted(set(names) - stated.keys() - self.entries.keys() - {newest}):
            self._found(name, deadline)
        entries = stated | self.entries
        if before and (stated, before.gaps) == (entries, self.missing):
            return self._kept(newest, data)
        if newest in names:
            self._found(newest, deadline)
            entries |= self.entries
        made = Manifest(self.incident, format_instant(self.app.now_ns()), tuple(entries.values()), self.missing)
        written = sealed_manifest(made, self.app.ledger.seal)
        return self._kept(put(self.app, self.incident, MANIFEST, written, deadline), written)

    def _before(self, name: str, deadline: Deadline) -> tuple[Manifest | None, bytes]:
        data = self.app.vault.get(self.incident, name, deadline) or b""
        return read_manifest(data, self.incident, self.app.ledger.seal), data

    def _found(self, name: str, deadline: Deadline) -> None:
        """Something that no manifest names yet: of an attempt that died, or not ours."""
        data, seal = self.app.vault.get(self.incident, name, deadline) or b"", self.app.ledger.seal
        entry = entry_of(name, data, self.incident, seal) or manifest_entry(name, data, self.incident, seal)
        if entry:
            self.entries[name] = entry
        else:
            self.gaps.append(f"{name}: it lies in the vault, and Firebreak did not put it there")

    def _kept(self, name: str, data: bytes) -> EvidenceLocation:
        return EvidenceLocation(f"{self.app.vault.uri}/{self.incident}", name, digest(data), self.missing)


def put(app: App, folder: str, stem: str, data: bytes, deadline: Deadline) -> str:
    """Make the object, or find it made; another content of that name is left alone and this becomes a further version.

    Raises Refused or Transient.
    """
    for number in range(1, _MOST_VERSIONS + 1):
        name = name_of(stem, number)
        if app.vault.put(folder, name, data, deadline) or app.vault.get(folder, name, deadline) == data:
            return name
    message = f"there are {_MOST_VERSIONS} versions of it already"
    raise Refused(message)
