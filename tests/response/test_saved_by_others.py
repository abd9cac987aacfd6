"""Somebody else saves first, at any save of the ledger: an order is carried out all the same, nothing twice or lost.

Each record of each commit is one such moment, found by the run itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.ledger.documents import Conflict, Document, Save
from firebreak.ledger.records import StoredIncident
from sandbox.scc.notifications import notification_v2
from tests.response.conversation import APPROVE, deliver, order
from tests.response.harness import ALWAYS, BAD, GOOD, TOPIC, Line, Lines

pytestmark = pytest.mark.thorough

HALF_AN_HOUR, A_DAY, A_LEASE = 1801.0, 86_400.0, 31.0
_DIGEST = re.compile("[0-9a-f]{12}")
OF_THE_SAME_WORK = ("incident", "command", "event")
"""Whoever saves one of these is at the same work: then the order is told again, and that goes on from theirs."""


@dataclass
class Others:
    """Saves the record of moment number `at` as it is, just before it is saved; notes each moment passed."""

    documents: Any
    at: int | None
    passed: list[str]

    def begin(self) -> None:
        commit = self.documents.commit

        def overtaken(saves: Sequence[Save]) -> list[Document]:
            for one in saves:
                self.passed.append(one.kind)
                if len(self.passed) - 1 == self.at:
                    self._first(commit, one)
            found: list[Document] = commit(saves)
            return found

        self.documents.commit = overtaken

    def _first(self, commit: Callable[[Sequence[Save]], object], one: Save) -> None:
        there = self.documents.read(one.kind, one.key)
        if there is None and one.kind == "standing":
            raise Conflict(one.kind, one.key)  # whoever stood there for that moment is gone again
        over = there or one
        commit([Save(one.kind, one.key, over.body, over.index, there)])


@dataclass(frozen=True)
class Work:
    """How a line comes to have something to do, what does it, and that told once more."""

    policy: str
    before: Callable[[Line], Incident | None]
    told: Callable[[Line, Incident | None], Callable[[], object]]


def asked(on: Line) -> Incident:
    return on.respond(on.finding())


def nothing(_: Line) -> None:
    return None


def rejected(on: Line) -> Incident:
    incident = asked(on)
    on.reject(incident)
    return incident


def opened_again(on: Line) -> Incident:
    incident = asked(on)
    on.world.set_traffic("checkout", {"revision": GOOD, "percent": 100}, {"revision": BAD, "tag": "debug"})
    on.wait(600)
    return incident


def after(seconds: float, on: Line) -> Incident:
    incident = asked(on)
    on.wait(seconds)
    return incident


def a_message(on: Line, _: Incident | None) -> Callable[[], object]:
    body = notification_v2(on.finding())
    return lambda: on.respond(body)


def an_order(verb: str, on: Line, incident: Incident | None, **given: str) -> Callable[[], object]:
    assert incident is not None
    command = order(on, verb, incident, **given)
    return lambda: deliver(on, command)


def a_sweep(on: Line, _: Incident | None) -> Callable[[], object]:
    return on.sweep


WORKS = {
    "finding": Work(ALWAYS, nothing, a_message),
    "approval": Work(APPROVE, asked, partial(an_order, "approve")),
    "rejection": Work(APPROVE, asked, partial(an_order, "reject", reason="ours")),
    "release": Work(ALWAYS, asked, partial(an_order, "release")),
    "retry": Work(APPROVE, rejected, partial(an_order, "retry")),
    "close": Work(APPROVE, asked, partial(an_order, "close", closed_as="false_positive")),
    "filing": Work(ALWAYS, asked, partial(an_order, "close", closed_as="true_positive", keep="yes")),
    "review": Work(ALWAYS, asked, partial(an_order, "review")),
    "sweep with drift": Work(ALWAYS, opened_again, a_sweep),
    "expiry": Work(APPROVE, partial(after, HALF_AN_HOUR), a_sweep),
    "review that is due": Work(ALWAYS, partial(after, A_DAY), a_sweep),
}


def truth(on: Line) -> dict[str, object]:
    """What the world, the record and the people who were told hold in the end."""
    (stored,) = on.app.ledger.newest(2)
    assert isinstance(stored, StoredIncident)
    incident = stored.incident
    told = [one["attributes"]["announcement"] for one in on.world.topics[TOPIC]]
    return {
        "phase": incident.phase,
        "by ada": [_DIGEST.sub("DIGEST", one.what) for one in incident.history if one.who == "ada"],
        "writes": len(on.updates),
        "serves": {revision: sorted(ways) for revision, ways in on.reachable.items()},
        "announced": [one["phase"] for one in on.announced],
        "told twice": len(told) - len({*told}),
        "unsent": incident.unsent,
        "held": [target.key for target, _ in on.app.ledger.held_targets(incident)],
        "closed as": incident.closed_as,
        "faults": [one["message"] for one in on.logged if "fault in Firebreak" in one["message"]],
    }


def come_to(work: Work, folder: Path, at: int | None) -> tuple[dict[str, object], list[str], str]:
    """The truth in the end, the moments passed, and with which sentence it had to be told again."""
    folder.mkdir()
    with Lines(folder)(policy=work.policy) as on:
        told = work.told(on, work.before(on))
        others, again = Others(on.app.ledger.documents, at, []), ""
        others.begin()
        try:
            told()
        except Transient as fault:
            again = str(fault)
            on.wait(A_LEASE)
            told()
        return truth(on), others.passed, again


@pytest.mark.parametrize("name", WORKS)
def test_whoever_saves_first_at_any_moment_of_it_keeps_nothing_from_being_done_once(name: str, tmp_path: Path) -> None:
    meant, moments, _ = come_to(WORKS[name], tmp_path / "alone", None)
    wrong = []
    for at, kind in enumerate(moments):
        found, _, again = come_to(WORKS[name], tmp_path / str(at), at)
        if found != meant or (again and kind not in OF_THE_SAME_WORK):
            differs = {what: (value, meant[what]) for what, value in found.items() if value != meant[what]}
            wrong.append((at, kind, again, differs))

    assert len(moments) > 2
    assert wrong == []
