"""Of findings at work at the same time the most severe goes first, and at the pace at which Google takes writes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from firebreak.core.cloud_run.target import Target
from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import parse_notification
from firebreak.ports.deadline import Deadline
from firebreak.response import limits as write_queue
from firebreak.response.limits import WriteQueue
from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2
from sandbox.wire import Fault
from tests.response.clock import Clock, on_a_clock
from tests.response.harness import ALWAYS, Line, Lines
from tests.response.test_blast_radius import found_on, limits, plan_on, slots_for, world


def finding(severity: str) -> Finding:
    return parse_notification(notification_v2(malicious_binary_finding(Scene(severity=severity)))).finding


def in_region(region: str) -> Target:
    return Target("shop-prod", region, "service", "checkout")


HERE, THERE = in_region("europe-west1"), in_region("us-east1")
MILD, SEVERE = finding("LOW"), finding("CRITICAL")


@pytest.fixture
def clock() -> Iterator[Clock]:
    with on_a_clock() as clock:
        yield clock


@contextmanager
def severe_one_coming(on: Line) -> Iterator[str]:
    """A more severe finding on another service of the project is at work."""
    told = parse_notification(notification_v2(found_on(on, 1, severity="CRITICAL"))).finding
    with on.app.queue.coming("another", told):
        yield "another"


def test_where_one_slot_is_left_the_more_severe_finding_has_it(line: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    with line(world(), config=limits(1, 9), policy=ALWAYS) as on, severe_one_coming(on) as another:
        theirs = replace(on.app, ledger=replace(on.app.ledger, owner=another))
        before = WriteQueue.before

        def meanwhile(queue: WriteQueue, worker: str) -> tuple[Target, ...]:
            found = before(queue, worker)
            if found:
                assert slots_for(theirs, "fb-severe", plan_on(1), Deadline.after(5)) == ()
            return found

        monkeypatch.setattr(WriteQueue, "before", meanwhile)
        mild = on.respond(found_on(on, 0, severity="LOW"))

        assert mild.phase == "waiting"
        assert [one.incident for one in on.app.ledger.slots()[0].taken] == ["fb-severe"]


def test_a_severe_finding_that_hangs_holds_no_other_up_for_long(line: Lines) -> None:
    with line(world(), config=limits(1, 9), policy=ALWAYS) as on, severe_one_coming(on):
        began = on.clock.skipped
        mild = on.respond(found_on(on, 0, severity="LOW"))

        assert mild.phase == "contained"
        assert 1 < on.clock.skipped - began < 8


def test_where_there_is_room_for_all_nobody_waits(line: Lines) -> None:
    with line(world(), config=limits(2, 9), policy=ALWAYS) as on, severe_one_coming(on):
        began = on.clock.skipped
        mild = on.respond(found_on(on, 0, severity="LOW"))

        assert mild.phase == "contained"
        assert on.clock.skipped - began < 1


def test_what_a_finding_waited_for_at_its_slot_is_read_anew_before_its_write(line: Lines) -> None:
    with line(world(), config=limits(1, 9), policy=ALWAYS) as on, severe_one_coming(on):
        on.respond(found_on(on, 0, severity="LOW"))
        methods = [call.method.rpartition("/")[2] for call in on.sandbox.wire.calls]

        assert methods[: methods.index("UpdateService")].count("GetService") == 2


def test_a_write_that_google_has_no_quota_for_is_sent_again_seconds_later_by_the_same_delivery(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="RESOURCE_EXHAUSTED"))
        began = on.clock.skipped
        incident = on.respond(on.finding())

        assert incident.phase == "contained"
        assert len(on.updates) == 2
        assert on.clock.skipped - began > 5


def test_what_finds_the_region_s_quota_used_up_sends_nothing_and_comes_again(line: Lines) -> None:
    with line(policy=ALWAYS) as on:
        pair = on.finding()
        on.sandbox.wire.inject(Fault("*/UpdateService", "error", code="RESOURCE_EXHAUSTED", times=4))
        with pytest.raises(Transient):
            on.respond(pair)
        sent = len(on.updates)
        on.clock.skip(-3)
        on.sweep()

        assert len(on.updates) == sent
        on.clock.skip(60)
        assert on.respond(pair).phase == "contained"


def test_after_a_refusal_a_region_takes_one_write_a_second_and_others_as_before(clock: Clock) -> None:
    queue = WriteQueue()
    assert not queue.waited(MILD, HERE, Deadline.after(60))
    queue.refused(HERE)
    began, gaps = clock.monotonic(), []
    for _ in range(5):
        assert queue.waited(MILD, HERE, Deadline(began + 900))
        gaps.append(clock.monotonic() - began)
        assert not queue.waited(MILD, THERE, Deadline(began + 900))

    assert 5 <= gaps[0] < 10.5
    assert all(0.9 < later - sooner < 1.5 for sooner, later in itertools.pairwise(gaps))


def test_a_region_where_nothing_is_refused_any_more_is_as_any_other(clock: Clock) -> None:
    queue = WriteQueue()
    queue.refused(HERE)
    clock.skip(75)

    assert queue.waited(MILD, HERE, Deadline(clock.monotonic() + 60))
    assert not queue.waited(MILD, HERE, Deadline(clock.monotonic() + 60))


def test_of_those_who_wait_for_a_region_the_most_severe_goes_first() -> None:
    with on_a_clock() as clock, ThreadPoolExecutor(4) as pool:
        queue, order = WriteQueue(), list[str]()
        queue.refused(HERE)

        def write(severity: str) -> None:
            queue.waited(finding(severity), HERE, Deadline(clock.monotonic() + 900))
            order.append(severity)

        for severity in ("LOW", "MEDIUM", "CRITICAL", "HIGH"):
            pool.submit(write, severity)
    assert order == ["CRITICAL", "HIGH", "MEDIUM", "LOW"]


def test_behind_half_of_an_instance_nobody_waits_so_that_other_regions_have_the_rest(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "_MOST", 1)
    queue, began = WriteQueue(), clock.monotonic()
    queue.refused(HERE)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(queue.waited, MILD, HERE, Deadline(began + 900)) for _ in range(2)]
        ended = [str(one.exception() or "") for one in both]

    assert sorted(ended) == ["", "Google takes no more writes in europe-west1 of shop-prod this minute"]


def test_nobody_waits_longer_than_a_lease_or_at_all_in_a_sweep(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_queue, "_CLOSED", (50.0, 50.0))
    queue = WriteQueue()
    queue.refused(HERE)
    for deadline, seconds in ((Deadline.after(60), 20), (Deadline.after(60).without_waiting(), 0)):
        began = clock.monotonic()
        with pytest.raises(Transient):
            queue.waited(SEVERE, HERE, deadline)
        assert began + seconds - 1 <= clock.monotonic() < began + seconds + 1
