"""Nothing is written on what the gate saw too long ago, whatever took its time between the gate and the write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from firebreak.core.errors import Transient
from firebreak.ledger.documents import Document, Save
from sandbox.wire import Fault
from tests.response.harness import ALWAYS, GOOD, Line, Lines
from tests.response.test_gate_between_writes import halted, muted
from tests.response.test_several_regions import THERE_TOO, world_of

TOO_LONG = 9.0
CUT = ALWAYS.replace("pin_previous_revision, otherwise: [{action: cut_traffic}]", "cut_traffic")
Happens = Callable[[Line], object]


class SlowDocuments:
    """A ledger that takes its time for one kind of call; `happens` meanwhile."""

    def __init__(self, on: Line, slow: str, happens: Happens) -> None:
        self._on, self._slow, self._happens = on, slow, happens
        self._documents = on.app.ledger.documents
        on.app = replace(on.app, ledger=replace(on.app.ledger, documents=self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    def _take_time(self, what: str) -> None:
        held = any(True for _ in self._documents.newest("standing", 1))
        if what == self._slow and (held or what == "hold") and not self._on.updates:
            self._on.clock.skip(TOO_LONG)
            self._happens(self._on)

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        if any(one.kind == "standing" for one in writes):
            self._take_time("hold")
        return list(self._documents.commit(writes))

    def read(self, kind: str, key: str) -> Document | None:
        self._take_time(kind)
        found: Document | None = self._documents.read(kind, key)
        return found


def save_takes_long(on: Line, happens: Happens) -> None:
    SlowDocuments(on, "hold", happens)


def halt_takes_long(on: Line, happens: Happens) -> None:
    SlowDocuments(on, "halt", happens)


SLOW = pytest.mark.parametrize("slow", [save_takes_long, halt_takes_long])


@SLOW
def test_what_is_muted_while_the_write_is_prepared_is_not_contained(
    line: Lines, slow: Callable[[Line, Happens], None]
) -> None:
    with line(policy=CUT) as on:
        slow(on, muted)
        incident = on.respond(on.finding())

        assert on.updates == ()
        assert incident.phase == "deferred"
        assert incident.waits is not None
        assert "muted" in incident.waits.reason


@SLOW
def test_a_write_that_always_takes_long_to_prepare_is_made_all_the_same(
    line: Lines, slow: Callable[[Line, Happens], None]
) -> None:
    with line(policy=ALWAYS) as on:
        slow(on, lambda _: None)
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert len(on.updates) == 1
        assert set(on.reachable) == {GOOD}


def test_a_halt_while_the_gate_is_asked_again_is_seen(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        save_takes_long(on, lambda here: here.sandbox.wire.watch("*/ListFindings", lambda _: halted(here)))
        incident = on.respond(on.finding())

        assert on.updates == ()
        assert incident.waits is not None
        assert incident.waits.what == "halt"


def test_where_scc_cannot_be_asked_again_nothing_is_written_and_nothing_held(line: Lines) -> None:
    """So that no write is looked for that was never sent."""
    with line(policy=ALWAYS) as on:
        save_takes_long(on, lambda here: here.sandbox.wire.inject(Fault("*/ListFindings", "error", times=None)))
        with pytest.raises(Transient):
            on.respond(on.finding())
        incident = next(on.app.ledger.newest(1)).incident

        assert on.updates == ()
        assert on.app.ledger.held_targets(incident) == ()


class SlowEffect(SlowDocuments):
    """A ledger that takes its time to note that the first of two changes is in effect."""

    def commit(self, writes: Sequence[Save]) -> list[Document]:
        noted = "verified in effect" in str([one.body for one in writes])
        if noted and self._slow:
            self._slow = ""
            self._on.clock.skip(TOO_LONG)
            self._happens(self._on)
        return list(self._documents.commit(writes))


def test_what_is_muted_while_the_first_region_takes_effect_is_not_contained_in_the_second(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        SlowEffect(on, "effect", muted)
        incident = on.respond(on.finding())

        assert len(on.updates) == 1
        assert incident.waits is not None
        assert "muted" in incident.waits.reason


def test_a_second_region_is_contained_however_long_the_first_one_takes(line: Lines) -> None:
    with line(world_of(*THERE_TOO), policy=ALWAYS) as on:
        SlowEffect(on, "effect", lambda _: None)
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert len(on.updates) == 2
