"""The measurement of the sweep answers what it plants, on a small ledger too."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.sweep import SWEEPS, measured


@pytest.mark.thorough
def test_what_is_planted_is_answered_and_timed(tmp_path: Path) -> None:
    found = measured(1_000, 20.0, tmp_path)

    assert len(found) == SWEEPS
    assert all(found[-1].values()), found
    assert all(0 < one["seconds"] < 22 for one in found)
