"""The measurement of start-up runs every command to a yes and tells each beside the libraries alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.start_up import COMMANDS, Cost, cost, medians, table


def test_each_command_is_measured_on_a_ledger_of_its_own(tmp_path: Path) -> None:
    found = medians(1, tmp_path)

    assert list(found) == list(COMMANDS)
    assert all(one.clock > 0 and one.processor > 0 and one.memory > 1 for one in found.values())
    assert (tmp_path / "firebreak" / "ledger.sqlite").is_file()


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        cost(("-c", "raise SystemExit(3)"), tmp_path)


def test_ratios_are_to_the_first_line() -> None:
    lines = table({"one": Cost(0.1, 0.05, 20), "other": Cost(0.25, 0.1, 30)}).splitlines()

    assert lines[1].split() == ["one", "100", "1.00", "50", "1.00", "20", "1.00"]
    assert lines[2].split() == ["other", "250", "2.50", "100", "2.00", "30", "1.50"]
