"""What is loaded when it is needed leaves the interpreter as it was."""

from __future__ import annotations

import gc
import sys

import pytest

from firebreak.adapters.later import later


class _Made:
    def __init__(self) -> None:
        self.collects, self.interval = gc.isenabled(), sys.getswitchinterval()


def test_nothing_is_collected_while_something_loads_and_whoever_waits_has_the_processor_soon() -> None:
    interval = sys.getswitchinterval()
    made = later(_Made)

    assert made.collects is False
    assert made.interval == pytest.approx(interval / 10)
    assert gc.isenabled()
    assert sys.getswitchinterval() == pytest.approx(interval)


def test_what_fails_to_load_changes_nothing_either() -> None:
    interval = sys.getswitchinterval()

    def fails() -> _Made:
        raise ImportError

    with pytest.raises(ImportError):
        _ = later(fails).collects
    assert gc.isenabled()
    assert sys.getswitchinterval() == pytest.approx(interval)


def test_what_failed_for_a_moment_is_loaded_when_it_is_asked_again() -> None:
    """Out of files or memory once, a process would answer every later finding with that."""
    tries: list[int] = []

    def makes_the_second_time() -> _Made:
        tries.append(1)
        if len(tries) == 1:
            raise OSError(24, "Too many open files")
        return _Made()

    made = later(makes_the_second_time)
    with pytest.raises(OSError, match="Too many open files"):
        _ = made.collects

    assert made.collects is False
    assert made.interval
    assert len(tries) == 2
