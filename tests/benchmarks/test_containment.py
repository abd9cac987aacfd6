"""The benchmark of containment measures both functions, and counts nothing that did not write."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.arena import Took
from benchmarks.bouts import PLAIN, Latencies, cold, warm
from benchmarks.containment import FIRST, asked_after, recorded_after, row
from benchmarks.figures import Row

pytestmark = pytest.mark.thorough


def test_both_functions_write_and_are_measured_side_by_side() -> None:
    quick = Latencies().faster(20)
    taken = warm(quick, PLAIN, 1)

    assert {name: len(found) for name, found in taken.items()} == {"Firebreak": 1, "opponent": 1}
    assert all(one.written is not None and one.written < one.answered for found in taken.values() for one in found)
    assert recorded_after(taken["Firebreak"]) > 0


def test_the_limit_is_the_longest_answer_that_has_to_be_waited_for() -> None:
    assert Latencies().limit(asks_virustotal=False) == Latencies().scc
    assert Latencies().limit(asks_virustotal=True) == Latencies().virustotal


def test_ratios_are_of_medians_to_the_other_function_and_to_the_limit() -> None:
    ours, theirs = [Took(one, 2.0) for one in (0.2, 0.1, 0.3)], [Took(one, 2.0) for one in (0.8, 0.4, 0.9)]

    taken = {"Firebreak": ours, "opponent": theirs}

    assert row("x", taken, 0.1, 0.7).line == "| x | 200 | 300 | 800 | 0.25 | 0.70 | 100 | 2.00 |"
    assert {one.line.count("|") for one in (Row("y", 1, 2), row("x", taken, 0.1))} == {9}


def test_what_wrote_nothing_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="1 of 1 deliveries wrote nothing"):
        row("x", {"Firebreak": [Took(None, 1.0)], "opponent": [Took(0.1, 1.0)]}, 0.1)


@pytest.mark.thorough
def test_a_start_is_measured_from_before_the_process_to_the_write_with_the_memory_that_it_took() -> None:
    (ours,), (theirs,) = cold(Latencies().faster(20), PLAIN, 1).values()

    assert ours.written is not None
    assert theirs.written is not None
    assert all(asked_after([theirs], method) < theirs.written for method in FIRST.values())
    assert asked_after([ours], "ListFindings") < ours.written
    assert 20 < theirs.memory < 1000
    assert 20 < ours.memory < 1000


def test_with_a_far_ledger_both_have_one_and_firebreak_s_round_trips_before_the_write_are_told() -> None:
    quick = replace(Latencies().faster(20), ledger=0.01)
    (ours,), (theirs,) = warm(quick, PLAIN, 1).values()

    assert ours.written is not None
    assert theirs.written is not None
    assert {"read", "commit"} <= {one.method for one in ours.trips}
    assert ours.written > max(Counter(one.thread for one in ours.trips).values()) * 0.01
    assert not theirs.trips
    assert quick.limit(asks_virustotal=False) == quick.scc + 0.02
