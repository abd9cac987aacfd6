"""Nothing starves the sweep: beside all kinds of stuck, forged, unreadable and slow items, each has its turn."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.storage.sqlite import SqliteDocuments
from firebreak.core.errors import Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.messages.delivery import Request
from firebreak.ports.deadline import Deadline
from firebreak.response import pipeline
from sandbox.wire import Fault
from tests.response.harness import ALWAYS, Line, Lines, world_of
from tests.response.stuck import CONFIG, FAR, POLICY, STUCK, answered, forged, never_ends, plant, with_ended
from tests.response.test_channels import ASKS, on_channels
from tests.response.test_sweep import APPROVE

pytestmark = pytest.mark.thorough

BUDGET = 20.0
A_SWEEP = 300.0


@pytest.mark.thorough
@pytest.mark.parametrize("first", ["stuck", "healthy"])
def test_twenty_kinds_of_stuck_items_keep_nothing_from_its_answer(line: Lines, first: str) -> None:
    """Within two sweeps, whichever of them were there first; and none takes longer than its time."""
    assert len(STUCK) == 20
    with line(policy=POLICY, config=CONFIG, FIREBREAK_SCC_LOCATIONS="eu,global") as on:
        healthy = plant(on, healthy_first=first == "healthy")
        took, reports = [], []
        for _ in range(2):
            began = time.monotonic()
            reports.append(pipeline.sweep(on.app, BUDGET))
            took.append(time.monotonic() - began)
            on.wait(A_SWEEP)

        assert healthy.are_answered(on) == dict.fromkeys(
            ("drift", "lost finding", "expired question", "review"), True
        ), [str(one) for one in reports]
        assert max(took) < BUDGET + 2
        assert any("SCC in eu" in one for one in reports[-1].later)
        assert any(FAR in one or "far" in one for one in reports[-1].later)


def test_a_sweep_waits_for_nothing_before_everything_had_its_turn_and_then_for_seconds(
    line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operation that runs, a dozen forged messages, Cloud Run away: each is looked at, and tried once more.

    Sources of evidence have threads and deadlines of their own.
    """
    with line(policy=POLICY, config=CONFIG) as on:
        never_ends(on)
        forged(on)
        answered(on, "asks", FAR)
        on.wait(24 * 3600 + 60)
        on.sandbox.wire.inject(Fault("*/GetService", "error", routed=f"*{FAR}*", times=None))
        slept: list[float] = []
        answered_by_then: list[bool] = []
        sleep = on.clock.sleep

        def noted(seconds: float) -> None:
            if threading.current_thread() is threading.main_thread():
                answered_by_then.append(not any(one.phase == "deferred" for one in newest(on)))
                slept.append(seconds)
            sleep(seconds)

        monkeypatch.setattr(on.clock, "sleep", noted)
        report = on.sweep()

        assert len(report.later) == 2
        assert report.refused == ()
        assert report.done["given up"] == 12
        assert sum(slept) <= 5.0
        assert answered_by_then
        assert all(answered_by_then)


def newest(on: Line) -> list[Incident]:
    return [one.incident for one in on.app.ledger.newest(50)]


@pytest.mark.parametrize("place", ["region", "location"])
def test_one_call_that_hangs_costs_one_share_for_all_that_go_there(line: Lines, place: str) -> None:
    """Of ten services in a region that hangs one is tried in each turn; what is elsewhere is answered."""
    with line(policy=POLICY, config=CONFIG, FIREBREAK_SCC_LOCATIONS="eu,global") as on:
        for number in range(10):
            answered(on, f"asking-far{number}", FAR)
        asked = answered(on, "asks")
        on.wait(24 * 3600 + 60)
        hangs = (
            Fault("*/GetService", "hang", routed=f"*{FAR}*", times=None)
            if place == "region"
            else Fault("*/ListFindings", "hang", asked='*locations/eu"*', times=None)
        )
        on.sandbox.wire.inject(hangs)
        before = len(on.sandbox.wire.calls)
        report = pipeline.sweep(on.app, 6.0)
        question = on.read(asked).question
        calls = on.sandbox.wire.calls[before:]
        far = {str(one.request.name) for one in calls if one.method.endswith("/GetService") and FAR in str(one.request)}

        assert question is not None
        assert question.escalated == 1
        assert report.later
        assert len(far) <= 2 or place == "location", "one in each of the two turns"


@pytest.mark.parametrize("halted", [False, True])
def test_what_a_sweep_reads_does_not_grow_with_what_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, halted: bool
) -> None:
    """Nor with what is not due: bodies are counted, however they are come by."""
    read: list[str] = []
    found = SqliteDocuments._found  # noqa: SLF001 - the one place that reads a body

    def counted(store: SqliteDocuments, kind: str, key: str, *more: Any) -> Any:
        read.append(f"{kind} {key}")
        return found(store, kind, key, *more)

    monkeypatch.setattr(SqliteDocuments, "_found", counted)
    counts = []
    for ended in (500, 20_000):
        folder = tmp_path / str(ended)
        folder.mkdir()
        with Lines(folder)(world_of(), policy=APPROVE) as on:
            on.respond(on.finding())
            with_ended(on, ended)
            if halted:
                on.command("halt", reason="a drill")
            on.wait(1801)
            read.clear()
            on.sweep()
            counts.append(len(read))

    assert counts[0] == counts[1]


def test_what_waits_for_a_halt_is_not_touched_while_it_stands(line: Lines) -> None:
    """Three days of findings would else be saved anew by every sweep."""
    with line(policy=ALWAYS) as on:
        on.command("halt", reason="a drill")
        incident = on.respond(on.finding())
        on.wait(A_SWEEP)
        before = on.app.ledger.find(incident.id)
        report = on.sweep()
        after = on.app.ledger.find(incident.id)

        assert before is not None
        assert after is not None
        assert before.document.version == after.document.version
        assert report.done == {}


def test_a_channel_that_hangs_is_waited_for_once_in_a_sweep_and_keeps_nothing_from_its_turn(line: Lines) -> None:
    """Neither what else is due, in the same region, nor what another channel is to be told."""
    with on_channels(line, ASKS, "  routes: {default: [soc, siem]}") as (on, state):
        post, waited = on.app.post, list[float]()

        def hangs(request: Request, deadline: Deadline) -> bytes:
            if "/api/" not in request.url:
                return post(request, deadline)
            waited.append(deadline.remaining(10.0))
            on.clock.skip(waited[-1])
            message = "no answer"
            raise Transient(message)

        asked = [on.respond(on.finding(finding_id=f"finding{number}")) for number in range(6)]
        on.app = replace(on.app, post=hangs)
        on.wait(A_SWEEP * 6 + 2)
        swept, _ = on.sweep(), on.sweep()
        told = [one for one in on.read(asked[0]).outbox if one.channel == "siem"]

        assert swept.done["asked again"] == len(asked)
        assert len(waited) == 2, "once in each"
        assert len(state.hooked) == 2 * len(asked)
        assert [(one.sent, one.tries) for one in told] == [(True, 0)] * 2
