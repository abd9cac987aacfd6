"""The clock of the tests: an hour of pauses takes no time, beside others a part, and nothing of it is left after."""

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


def test_a_pause_beside_others_ends_when_it_says_and_takes_a_part_of_it() -> None:
    with on_a_clock() as clock, ThreadPoolExecutor(1) as pool:
        began = clock.monotonic()
        pool.submit(clock.sleep, 1.0).result()

        assert clock.monotonic() - began >= 1.0
        assert 0.5 < clock.skipped < 1.0


def test_pauses_at_the_same_time_are_one() -> None:
    """As they would be: six readers that each wait a second have waited one."""
    with on_a_clock() as clock, ThreadPoolExecutor(6) as pool:
        list(pool.map(clock.sleep, [1.0] * 6))

        assert clock.skipped < 2.0


def test_afterwards_time_is_time() -> None:
    with on_a_clock() as clock:
        assert (vars(backoff)["time"], vars(deadline)["time"]) == (clock, clock)

    assert (vars(backoff)["time"], vars(deadline)["time"]) == (time, time)
