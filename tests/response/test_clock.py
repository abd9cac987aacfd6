"""The clock of the tests: an hour of pauses takes no time, and nothing of it is left afterwards."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from firebreak.ports import backoff, deadline
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline
from tests.response.clock import on_a_clock


def test_an_hour_of_pauses_is_over_at_once() -> None:
    began = time.monotonic()
    with on_a_clock() as clock:
        hour = Deadline.after(3600)
        pauses = Backoff(hour)
        while pauses.wait():
            pass

        assert hour.remaining() <= pauses.seconds
        assert clock.monotonic() - began > 3500
    assert time.monotonic() - began < 3500


def test_a_thread_beside_the_tests_own_sleeps_as_it_is() -> None:
    with on_a_clock() as clock, ThreadPoolExecutor(1) as pool:
        before = clock.skipped
        pool.submit(clock.sleep, 0.01).result()

        assert clock.skipped == before


def test_afterwards_time_is_time() -> None:
    with on_a_clock() as clock:
        assert (vars(backoff)["time"], vars(deadline)["time"]) == (clock, clock)

    assert (vars(backoff)["time"], vars(deadline)["time"]) == (time, time)
