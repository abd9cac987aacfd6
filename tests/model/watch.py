"""The product's ports, watched: what is to go wrong goes wrong here, and every write is written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

from firebreak.core.cloud_run.setting_names import SURFACES
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.plan import Change
from firebreak.core.errors import Denied, Transient
from firebreak.ledger.documents import NO_INDEX, Document, Index, Save
from firebreak.ledger.sealed import Floors
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from tests.model.cloud import Resource, place_of
from tests.model.history import History, Wrote
from tests.model.policies import Word
from tests.model.scc import Event, Key

_PATIENCE = 1.0
"""Seconds until a call to what is away gives up."""
SCC, RELATED, RUN, POLICIES, ACCOUNTS = "SCC", "related", "Cloud Run", "IAM policies", "accounts"
LEDGER, HALT, TOPIC, VAULT = "the ledger", "the halt's record", "the topic", "the vault"
DEPENDENCIES = (SCC, RELATED, RUN, POLICIES, ACCOUNTS, LEDGER, HALT, TOPIC, VAULT)


class Died(BaseException):
    """The process is gone: nothing catches it, nothing is tidied up."""


def die() -> None:
    """The process ends here."""
    raise Died


def lose() -> None:
    """An answer is lost here, or a call does not come through."""
    message = "the answer was lost"
    raise Transient(message)


def same_floors(floors: Floors) -> Floors:
    """What a process knows of the ledger, for another one that knows as much."""
    copied = Floors()
    copied.note(floors.now())
    copied.learned, copied.crowded = floors.learned, floors.crowded
    return copied


@dataclass
class Faults:
    """What goes wrong: what does not answer (to the step since when), what is denied, and what happens at which point.

    A point is just before or just after a save, a write, a wait for one, or a message to a topic. `planned` says after
    how many points from now what happens there; `at_each` is done at every one.
    """

    away: dict[str, int] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    planned: dict[int, Callable[[], None]] = field(default_factory=dict)
    scc_empty: int = 0
    passed: int = 0
    at_each: Callable[[], None] = lambda: None

    def copy(self) -> Faults:
        """The same, apart."""
        return Faults(dict(self.away), set(self.denied), dict(self.planned), self.scc_empty, self.passed)

    @property
    def any(self) -> bool:
        """Whether anything is to go wrong."""
        return bool(self.away or self.denied or self.planned or self.scc_empty)

    def plan(self, points: int, what: Callable[[], None]) -> None:
        """Let that happen so many points from now."""
        self.planned[self.passed + points] = what

    def reach(self) -> None:
        """One more point is reached."""
        self.passed += 1
        self.at_each()
        if happens := self.planned.pop(self.passed, None):
            happens()

    def call(self, *names: str) -> None:
        """A call that needs all of these; raises Denied or Transient."""
        for name in names:
            if name in self.denied:
                message = f"PERMISSION_DENIED: {name}"
                raise Denied(message)
            if name in self.away:
                message = f"{name} is away"
                raise Transient(message)


class Scene(Protocol):
    """What is asked about the world at the moment of a write; none of it is a call of the product's."""

    history: History
    faults: Faults
    trigger: str
    ceiling: Word

    def now_ns(self) -> int: ...
    def spend(self, seconds: float) -> None: ...
    def look(self, place: str) -> Resource | None: ...
    def resources(self) -> Mapping[str, Resource]: ...
    def held(self) -> Mapping[Key, Event]: ...
    def stored(self, incident: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Port:
    inner: Any
    scene: Scene

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _need(self, deadline: Deadline | float | None, *names: str) -> None:
        faults = self.scene.faults
        if any(one in faults.away for one in names):
            left = deadline.remaining(_PATIENCE) if isinstance(deadline, Deadline) else _PATIENCE
            self.scene.spend(left)
        faults.call(*names)


@dataclass(frozen=True, slots=True)
class _Documents(_Port):
    """The ledger's store. Each save is two points; of each reading of the halt it is noted how it came out."""

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        """Several saves at once: two points around all of them."""
        self._need(None, LEDGER)
        self.scene.faults.reach()
        saved: list[Document] = self.inner.commit(writes)
        history = self.scene.history
        for one in writes:
            if one.kind == "incident":
                history.saved_last = one.key
                history.saved.add(one.key)
        self.scene.faults.reach()
        return saved

    def create(self, kind: str, key: str, body: Mapping[str, Any], index: Index = NO_INDEX) -> Document:
        return self.commit([Save(kind, key, body, index)])[0]

    def replace(self, document: Document, body: Mapping[str, Any], index: Index = NO_INDEX) -> Document:
        return self.commit([Save(document.kind, document.key, body, index, document)])[0]

    def read(self, kind: str, key: str) -> Any:
        if kind != "halt":
            self._need(None, LEDGER)
            return self.inner.read(kind, key)
        history = self.scene.history
        try:
            self._need(None, LEDGER, HALT)
            found = self.inner.read(kind, key)
        except Transient:
            history.halt_read = history.next(), "unread"
            raise
        history.halt_read = history.next(), "set" if found and _reason_in(found.body) else "none"
        return found

    def _listing(self, method: str, *arguments: Any) -> Any:
        self._need(None, LEDGER)
        return getattr(self.inner, method)(*arguments)

    def newest(self, *arguments: Any) -> Any:
        return self._listing("newest", *arguments)

    def after(self, *arguments: Any) -> Any:
        return self._listing("after", *arguments)

    def due(self, *arguments: Any) -> Any:
        return self._listing("due", *arguments)

    def about(self, *arguments: Any) -> Any:
        return self._listing("about", *arguments)

    def count(self, *arguments: Any) -> Any:
        return self._listing("count", *arguments)

    def forget(self, *arguments: Any) -> Any:
        return self._listing("forget", *arguments)


def _reason_in(body: Mapping[str, Any]) -> str:
    """The reason of the halt in a stored body, believed as it stands there; empty if it is lifted."""
    said = json.loads(body["sealed"]) if "sealed" in body else body
    return str(said.get("reason") or "")


def _service_of(kind: str) -> str:
    return ACCOUNTS if kind == "service_account" else RUN


@dataclass(frozen=True, slots=True)
class _Reader(_Port):
    def read(self, target: Target, deadline: Deadline) -> Workload:
        place = place_of(target)
        self._need(deadline, _service_of(target.kind), f"read {place}")
        workload: Workload = self.inner.read(target, deadline)
        faults = self.scene.faults
        unread = POLICIES in faults.away or f"policy {place}" in faults.denied
        surface = next((one for one in SURFACES[target.kind] if one.endswith("_iam")), "") if unread else ""
        if not surface:
            return workload
        state = {key: value for key, value in workload.state.items() if not key.startswith(f"{surface}.")}
        etags = {key: value for key, value in workload.etags.items() if key != surface}
        reason = "UNAVAILABLE: the IAM policy" if POLICIES in faults.away else "PERMISSION_DENIED: the IAM policy"
        return replace(workload, state=state, etags=etags, invokers=None, unread={surface: reason})


@dataclass(frozen=True, slots=True)
class _Surface(_Port):
    """A write is written down where the cloud took it, whatever the product is then told."""

    def write(self, change: Change, workload: Workload, deadline: Deadline) -> str:
        place, scene = place_of(workload.target), self.scene
        self._need(deadline, _service_of(workload.target.kind), f"write {place}")
        if change.surface.endswith("_iam"):
            self._need(deadline, POLICIES)
        scene.faults.reach()
        before = scene.look(place)
        try:
            operation: str = self.inner.write(change, workload, deadline)
        finally:
            after = scene.look(place)
            if before and after and before.uid == after.uid and before.settings != after.settings:
                _write_down(scene, change, before, after)
        scene.faults.reach()
        return operation

    def wait(self, operation: str, deadline: Deadline) -> None:
        self.scene.faults.reach()
        self.inner.wait(operation, deadline)
        self.scene.faults.reach()


def _write_down(scene: Scene, change: Change, before: Resource, after: Resource) -> None:
    history = scene.history
    history.writes.append(
        Wrote(
            seq=history.next(),
            step=history.step,
            at_ns=scene.now_ns(),
            trigger=scene.trigger,
            change=change,
            before=before,
            after=after,
            incident=scene.stored(history.saved_last) if history.saved_last else None,
            resources=dict(scene.resources()),
            held=dict(scene.held()),
            away=dict(scene.faults.away),
            denied=frozenset(scene.faults.denied),
            ceiling=scene.ceiling,
            halt=history.halt_read,
        )
    )
    history.halt_read = None


@dataclass(frozen=True, slots=True)
class _Findings(_Port):
    """SCC: what the product asks of one finding, of many, and of those around one."""

    def find(self, name: Any, organization: str, deadline: Deadline, *others: Any, **named: Any) -> Any:
        self._need(deadline, SCC)
        if self.scene.faults.scc_empty:
            self.scene.faults.scc_empty -= 1
            return None
        return self.inner.find(name, organization, deadline, *others, **named)

    def active_since(self, organization: str, location: str, since_ns: int, deadline: Deadline) -> Iterator[Any]:
        self._need(deadline, SCC)
        return iter(list(self.inner.active_since(organization, location, since_ns, deadline)))

    def related(self, finding: Any, target: Target, window_ns: int, seconds: float) -> Any:
        self._need(seconds, SCC, RELATED)
        return self.inner.related(finding, target, window_ns, seconds)

    def threatens(self, target: Target, revision: str, name: Any, sources: Any, deadline: Deadline) -> Any:
        self._need(deadline, SCC)
        return self.inner.threatens(target, revision, name, sources, deadline)

    def mark(self, finding: Any, marks: Any, deadline: Deadline) -> None:
        self._need(deadline, SCC)
        self.scene.faults.reach()
        self.inner.mark(finding, marks, deadline)
        self.scene.faults.reach()


@dataclass(frozen=True, slots=True)
class _Topic(_Port):
    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str], deadline: Deadline) -> None:
        self._need(deadline, TOPIC)
        self.scene.faults.reach()
        self.inner.publish(topic, data, attributes, deadline)
        self.scene.faults.reach()


@dataclass(frozen=True, slots=True)
class _Vault(_Port):
    def put(self, folder: str, name: str, data: bytes, deadline: Deadline) -> Any:
        self._need(deadline, VAULT)
        return self.inner.put(folder, name, data, deadline)


@dataclass(frozen=True, slots=True)
class _Workloads:
    readers: Mapping[Any, Any]

    def read(self, target: Target, seconds: float) -> Workload:
        found: Workload = self.readers[target.kind].read(target, Deadline.after(seconds))
        return found


def watched(app: App, scene: Scene) -> App:
    """The same application behind watched ports."""
    readers: Any = MappingProxyType({kind: _Reader(one, scene) for kind, one in app.readers.items()})
    surfaces: Any = MappingProxyType({name: _Surface(one, scene) for name, one in app.surfaces.items()})
    documents: Any = _Documents(app.ledger.documents, scene)
    scc: Any = _Findings(app.scc, scene)
    related: Any = _Findings(app.sources.findings, scene)
    topic: Any = _Topic(app.publisher, scene)
    vault: Any = _Vault(app.vault, scene)
    return replace(
        app,
        readers=readers,
        surfaces=surfaces,
        ledger=replace(app.ledger, documents=documents),
        scc=scc,
        sources=replace(app.sources, findings=related, workloads=_Workloads(readers)),
        publisher=topic,
        vault=vault,
    )
