"""The benchmark of containment measures both functions, and counts nothing that did not write."""

from __future__ import annotations

import pytest

from benchmarks.arena import Took
from benchmarks.containment import PLAIN, Latencies, recorded_after, row, warm


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

    assert row("x", {"Firebreak": ours, "opponent": theirs}, 0.1).split() == "x 200 300 800 0.25 100 2.00".split()


def test_what_wrote_nothing_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="1 of 1 deliveries wrote nothing"):
        row("x", {"Firebreak": [Took(None, 1.0)], "opponent": [Took(0.1, 1.0)]}, 0.1)
