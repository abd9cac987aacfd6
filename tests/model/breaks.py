"""Breaks that are planted on purpose: each with the invariant that it breaks, and a scene that shows it.

Without its break a scene breaks nothing. A break is a lie told to the product by one of its ports, by its settings or
policies, or a function of the product replaced under its dotted name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.plan import Change
from firebreak.core.errors import Failed
from firebreak.core.mode import Mode
from firebreak.core.policy.policy import Limits
from firebreak.core.signing import Sealed
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from tests.model import scenes
from tests.model.cloud import place_of
from tests.model.people import PUBLIC
from tests.model.scc import ALLOWED, FOREIGN, finding_of
from tests.model.scenery import CART_IN_US
from tests.model.stage import Stage

Plant = Callable[[Stage, pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Break:
    """One break: what is wrong, in words; the invariant that goes red; how it is planted; the scene that shows it."""

    wrong: str
    number: int
    plant: Plant
    scene: Callable[[Stage], None]


class Instead:
    """Another object, some of whose methods are replaced; each gets the object first."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner, self._methods = inner, methods

    def __getattr__(self, name: str) -> Any:
        method = self._methods.get(name)
        if method is None:
            return getattr(self._inner, name)
        return lambda *arguments, **named: method(self._inner, *arguments, **named)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._inner(*arguments, **named)


def _rewire(change: Callable[[App], App]) -> Plant:
    def plant(stage: Stage, patch: pytest.MonkeyPatch) -> None:
        del patch
        stage.rewired = change

    return plant


def _config(**changed: Any) -> Plant:
    """firebreak.yaml says something else than those who wrote it think."""

    def change(app: App) -> App:
        return replace(app, policies=replace(app.policies, config=replace(app.policies.config, **changed)))

    return _rewire(change)


def _documents(**methods: Callable[..., Any]) -> Plant:
    def change(app: App) -> App:
        documents: Any = Instead(app.ledger.documents, **methods)
        return replace(app, ledger=replace(app.ledger, documents=documents))

    return _rewire(change)


def _scc(**methods: Callable[..., Any]) -> Plant:
    def change(app: App) -> App:
        scc: Any = Instead(app.scc, **methods)
        return replace(app, scc=scc)

    return _rewire(change)


def _readers(seen: Callable[[Workload], Workload]) -> Plant:
    """What is read is passed on as something else, to whoever reads."""

    def read(inner: Any, *arguments: Any) -> Workload:
        return seen(inner.read(*arguments))

    def change(app: App) -> App:
        readers: Any = {kind: Instead(one, read=read) for kind, one in app.readers.items()}
        workloads: Any = Instead(app.sources.workloads, read=read)
        return replace(app, readers=readers, sources=replace(app.sources, workloads=workloads))

    return _rewire(change)


def _halt_reads(reason: str | None) -> Plant:
    def plant(stage: Stage, patch: pytest.MonkeyPatch) -> None:
        del stage
        patch.setattr("firebreak.ledger.ledger.Ledger.halt_reason", lambda _: reason)

    return plant


def _without_looks(inner: Any, kind: str, *arguments: Any) -> Any:
    return iter(()) if kind == "look" else inner.due(kind, *arguments)


def _holds_all(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """SCC is said to hold whatever a message tells of."""

    def find(inner: Any, name: Any, *arguments: Any, **named: Any) -> Any:
        found = inner.find(name, *arguments, **named)
        told = [*stage.undelivered, *(one.event for one in stage.history.came)]
        return found or next((finding_of(one) for one in told if one.finding == name.finding), None)

    _scc(find=find)(stage, patch)


def _first_event_only(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """SCC is said to hold the first event of each finding still."""

    def find(inner: Any, name: Any, *arguments: Any, **named: Any) -> Any:
        del arguments, named, inner
        held = (event for _, event in stage.ground.scc.history if event.finding == name.finding)
        first = next(held, None)
        return finding_of(first) if first else None

    _scc(find=find)(stage, patch)


def _never_muted(inner: Any, *arguments: Any, **named: Any) -> Any:
    found = inner.find(*arguments, **named)
    return replace(found, mute="UNDEFINED") if found else None


def _as_first_read(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """Settings and what serves are shown as they were first read, under the etag of now."""
    first: dict[str, Workload] = {}

    def seen(workload: Workload) -> Workload:
        known = first.setdefault(place_of(workload.target), workload)
        return replace(known, target=workload.target, etags=workload.etags, **_uid(workload))

    _readers(seen)(stage, patch)


def _first_uid(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """What is made anew is shown under the uid of the one before."""
    first: dict[str, dict[str, Any]] = {}

    def seen(workload: Workload) -> Workload:
        return replace(workload, **first.setdefault(place_of(workload.target), _uid(workload)))

    _readers(seen)(stage, patch)


def _uid(workload: Workload) -> dict[str, Any]:
    return {"uid": workload.uid}


def _wishes_are_true(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """No operation is said to fail, and what is wished for is said to serve."""
    del patch

    def wait(inner: Any, operation: str, deadline: Deadline) -> None:
        try:
            inner.wait(operation, deadline)
        except Failed:
            return

    def read(inner: Any, *arguments: Any) -> Workload:
        workload: Workload = inner.read(*arguments)
        resource = stage.look(place_of(workload.target))
        effective, tags = resource.wished if resource else ({}, {})
        return replace(workload, effective=effective, effective_tags=tags, settled=True)

    def change(app: App) -> App:
        readers: Any = {kind: Instead(one, read=read) for kind, one in app.readers.items()}
        surfaces: Any = {name: Instead(one, wait=wait) for name, one in app.surfaces.items()}
        return replace(app, readers=readers, surfaces=surfaces)

    stage.rewired = change


def _grants_are_lost(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """A grant that is given back is lost on the way, and shown as if it were there."""
    del patch
    lost: set[str] = set()

    def write(inner: Any, change: Change, workload: Workload, deadline: Deadline) -> str:
        if any(value is not None for value in change.after.values()):
            lost.add(place_of(workload.target))
            return ""
        return str(inner.write(change, workload, deadline))

    def read(inner: Any, *arguments: Any) -> Workload:
        workload: Workload = inner.read(*arguments)
        shown = {PUBLIC: True} if place_of(workload.target) in lost else {}
        return replace(workload, state={**workload.state, **shown})

    def change(app: App) -> App:
        readers: Any = {kind: Instead(one, read=read) for kind, one in app.readers.items()}
        surfaces: Any = {**app.surfaces, "service_iam": Instead(app.surfaces["service_iam"], write=write)}
        return replace(app, readers=readers, surfaces=surfaces)

    stage.rewired = change


def _every_seal_holds(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    del stage
    patch.setattr("firebreak.core.signing.Seal._check", lambda *_: Sealed.HOLDS)


def _without_labels(workload: Workload) -> Workload:
    return replace(workload, labels={})


def _without_labels_elsewhere(workload: Workload) -> Workload:
    return _without_labels(workload) if place_of(workload.target) == CART_IN_US else workload


def _nothing(_: Any, *__: Any, **___: Any) -> Any:
    return iter(())


def _own_is_unknown(app: App) -> App:
    return replace(app, settings=replace(app.settings, own=()))


BREAKS: tuple[Break, ...] = (
    Break("the ledger says that nothing is halted", 1, _halt_reads(None), scenes.halted),
    Break("SCC is said to hold what a message tells", 1, _holds_all, scenes.forged),
    Break("SCC is said never to mute", 1, _scc(find=_never_muted), scenes.muted),
    Break("every source is allowed", 1, _config(sources=frozenset({ALLOWED, FOREIGN})), scenes.foreign),
    Break("the ceiling is overlooked", 1, _config(ceiling=Mode.ENFORCE), scenes.under_a_ceiling),
    Break("protected labels are not read", 1, _readers(_without_labels), scenes.protected),
    Break("a further region's labels are not read", 1, _readers(_without_labels_elsewhere), scenes.protected_elsewhere),
    Break("Firebreak does not know its own services", 1, _rewire(_own_is_unknown), scenes.itself),
    Break("no event is ever stale", 1, _config(stale_after=10**9), scenes.stale),
    Break("there is no limit", 1, _config(limits=Limits(1000, 1000)), scenes.storm),
    Break("settings are shown as first read", 2, _as_first_read, scenes.changed_by_hand),
    Break("the uid is that of the one before", 2, _first_uid, scenes.made_anew),
    Break("SCC is said to hold the first event still", 3, _first_event_only, scenes.another_event_while_asked),
    Break("wishes are taken for what serves", 4, _wishes_are_true, scenes.failing_operation),
    Break("no containment is ever looked at again", 4, _documents(due=_without_looks), scenes.reopened),
    Break("the ledger says for ever that all is halted", 5, _halt_reads("for ever"), scenes.plain),
    Break("a grant that is given back is lost", 6, _grants_are_lost, scenes.released),
    Break("every seal holds", 7, _every_seal_holds, scenes.forged_answer),
    Break("nothing is ever due", 8, _documents(due=_nothing), scenes.unanswered),
    Break("SCC is said to hold nothing active", 8, _scc(active_since=_nothing), scenes.lost),
)
"""Every invariant goes red by at least one of them."""
