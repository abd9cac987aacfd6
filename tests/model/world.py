"""A world in which a history takes place: the model cloud, SCC, the ledger's rows, what is outside, and the product."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from firebreak.bootstrap import build
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.incidents.earlier import Earlier, Neighbour
from firebreak.core.signing import Seal
from firebreak.ledger.ledger import Ledger
from firebreak.ports.deadline import Deadline
from firebreak.ports.enrichment import EnrichmentClients
from firebreak.response.app import App
from firebreak.settings import read_settings
from tests.model.clock import Clock
from tests.model.cloud import Cloud, Ending, Resource
from tests.model.documents import MemoryDocuments, Rows
from tests.model.ground import KEY, Log
from tests.model.others import KnownMalware, ModelChat, ModelTopic, ModelVault, NoLogs, Outside
from tests.model.policies import SELF, policies_under
from tests.model.ports import ModelAccountUsage, ModelReader, readers, surfaces
from tests.model.scc import Event, ModelFindings, Scc
from tests.model.scenery import EVERYWHERE, set_up
from tests.model.tamper import KINDS, Drawer, change_word, delete, forge_answer, put_back

SOURCES = ("workload", "related", "recurrence")
"""What policies here ask, and what shapes plans: the other sources only add to what people read."""


@dataclass
class State:
    """All that outlives a step. A copy of it is the whole world at one moment."""

    clock: Clock = field(default_factory=Clock)
    cloud: Cloud = field(init=False)
    scc: Scc = field(default_factory=Scc)
    rows: Rows = field(default_factory=Rows)
    drawer: Drawer = field(default_factory=Drawer)
    outside: Outside = field(default_factory=Outside)

    def __post_init__(self) -> None:
        self.cloud = Cloud(self.clock)

    def copy(self) -> State:
        """The same, apart."""
        copied = State(replace(self.clock, faults=list(self.clock.faults)))
        copied.cloud = replace(self.cloud.copy(), clock=copied.clock)
        copied.scc, copied.rows, copied.outside = self.scc.copy(), self.rows.copy(), self.outside.copy()
        copied.drawer = self.drawer.copy()
        return copied


@cache
def _wired() -> App:
    """The product as it is put together, before its ports lead anywhere; nothing was connected."""
    state = tempfile.gettempdir()
    settings = read_settings(
        {
            "XDG_STATE_HOME": state,
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": "projects/firebreak/topics/incidents",
            "FIREBREAK_SELF": SELF,
            "FIREBREAK_SCC_MARKS": "off",
        }
    )
    return build(settings, policies_under("enforce"), seal=Seal((KEY,)))


@dataclass(frozen=True, slots=True)
class _Workloads:
    reader: ModelReader

    def read(self, target: Target, seconds: float) -> Workload:
        return self.reader.read(target, Deadline.after(seconds))


@dataclass(frozen=True, slots=True)
class _Incidents:
    ledger: Ledger

    def on(self, target: Target, most: int) -> tuple[Earlier, ...]:
        found = (one for _, one in self.ledger.about(target, most))
        return tuple(one.earlier for one in found if isinstance(one, Neighbour) and one.earlier)

    def with_file(self, hashes: frozenset[str], but_for: tuple[str, str], since_ns: int) -> bool | None:  # noqa: ARG002
        return None


def _product_in(state: Callable[[], State], log: Log) -> App:
    """The product with every port leading into that state."""
    wired = _wired()
    cloud, now_ns = (lambda: state().cloud), (lambda: state().clock.now_ns)
    ledger = replace(wired.ledger, documents=MemoryDocuments(lambda: state().rows), now_ns=now_ns)
    findings: Any = ModelFindings(lambda: state().scc)
    reader = ModelReader(cloud)
    sources = EnrichmentClients(findings, _Workloads(reader), KnownMalware(), NoLogs(), _Incidents(ledger))
    return replace(
        wired,
        ledger=ledger,
        readers=readers(cloud),
        surfaces=surfaces(cloud),
        account_users=ModelAccountUsage(cloud),
        scc=findings,
        sources=sources,
        vault=ModelVault(lambda: state().outside),
        post=ModelChat(lambda: state().outside),
        publisher=ModelTopic(lambda: state().outside, now_ns),
        log=log,
        now_ns=now_ns,
        enrichers={name: wired.enrichers[name] for name in SOURCES},
    )


class ModelGround:
    """A world in memory. `state` can be put in the place of another, to go on from there."""

    def __init__(self, places: tuple[str, ...] = EVERYWHERE) -> None:
        self.state = State()
        set_up(self.state.cloud, places)

    @property
    def scc(self) -> Scc:
        return self.state.scc

    def app(self, log: Log) -> App:
        return _product_in(lambda: self.state, log)

    def now_ns(self) -> int:
        return self.state.clock.now_ns

    def spend(self, seconds: float) -> None:
        self.state.clock.pass_by(seconds)

    def new_uid(self) -> str:
        return self.state.cloud.new_uid()

    def look(self, place: str) -> Resource | None:
        return self.state.cloud.at(place)

    def resources(self) -> Mapping[str, Resource]:
        cloud = self.state.cloud
        cloud.end_operations()
        return cloud.resources

    def put(self, place: str, resource: Resource | None) -> None:
        if resource is None:
            self.state.cloud.resources.pop(place, None)
        else:
            self.state.cloud.put(resource)

    def hold(self, event: Event) -> None:
        self.state.scc.hold(event, self.now_ns())

    def faults(self) -> list[BaseException]:
        return self.state.clock.faults

    def told(self) -> list[tuple[str, str]]:
        return [(one.incident, one.phase) for one in self.state.outside.messages]

    def finish_operations(self) -> None:
        self.state.cloud.finish_operations()

    def next_operation(self, ending: Ending, seconds: float) -> None:
        self.state.cloud.next_ending, self.state.cloud.next_seconds = ending, seconds

    def tamper(self, how: str, place: tuple[str, str], which: int) -> bool:
        rows = self.state.rows
        if how == "put back":
            return put_back(rows, self.state.drawer, place, which)
        if how == "forge an answer":
            return forge_answer(rows, place)
        return delete(rows, place) if how == "delete" else change_word(rows, place, which)

    def records(self) -> tuple[tuple[str, str], ...]:
        """Every place where a record stands that somebody might tamper with, or stood once."""
        return tuple(sorted(place for place in self.state.drawer.kept if place[0] in KINDS))

    def remember(self) -> None:
        self.state.drawer.keep(self.state.rows)

    def take_less(self, what: str) -> None:
        cloud = self.state.cloud
        cloud.takes_ingress_none = cloud.takes_ingress_none and what != "ingress none"
        cloud.takes_public_members = cloud.takes_public_members and what != "public members"

    def save(self) -> State:
        return self.state.copy()

    def restore(self, saved: State) -> None:
        self.state = saved.copy()
