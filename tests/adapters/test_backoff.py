"""Pauses grow to a longest, and none of them reaches beyond the deadline; by a clock that only sleeping moves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline


class Clock:
    """The monotonic clock, and every sleep on it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    # Nobody else's time: a thread that an earlier test left behind sleeps on as it did.
    time = SimpleNamespace(monotonic=clock.read, sleep=clock.sleep)
    monkeypatch.setattr("firebreak.ports.backoff.time", time)
    monkeypatch.setattr("firebreak.ports.deadline.time", time)
    return clock


def test_each_pause_is_longer_than_the_last_up_to_the_longest(clock: Clock) -> None:
    backoff = Backoff(Deadline.after(100), 0.25, longest=1.0, growth=2)

    assert [backoff.wait() for _ in range(5)] == [True] * 5
    assert clock.slept == [0.25, 0.5, 1.0, 1.0, 1.0]


def test_without_time_it_says_so_at_once(clock: Clock) -> None:
    backoff = Backoff(Deadline.after(0))

    assert (backoff.wait(), backoff.wait(), clock.slept) == (False, False, [])


@given(
    seconds=st.floats(0, 50),
    first=st.floats(0.05, 5),
    longest=st.floats(0.05, 5),
    growth=st.floats(1, 4),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_waiting_always_ends_and_ends_before_the_deadline(
    clock: Clock, seconds: float, first: float, longest: float, growth: float
) -> None:
    start = clock.now
    backoff = Backoff(Deadline.after(seconds), first, longest, growth)
    while backoff.wait():
        pass

    assert clock.now <= start + seconds + 1e-6
    assert backoff.until.remaining() <= max(first, longest)
