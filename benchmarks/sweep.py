"""Two sweeps of 100 s, beside twenty kinds of stuck items and 100,000 incidents: what is answered, and when.

The line in one process, with the real clients over the wire of the sandbox, on a SQLite ledger. Exits with 1 where one
of the four healthy items is left after the second sweep.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from firebreak.response import pipeline
from tests.response.harness import Lines
from tests.response.stuck import CONFIG, POLICY, plant, with_ended

ENDED = 100_000
SWEEPS = 2
BUDGET = 100.0


def measured(ended: int, budget: float, folder: Path) -> list[dict[str, bool | float]]:
    """For each sweep the seconds that it took, and whether each of the four was answered after it."""
    found: list[dict[str, bool | float]] = []
    with Lines(folder)(policy=POLICY, config=CONFIG, FIREBREAK_SCC_LOCATIONS="eu,global") as on:
        healthy = plant(on)
        with_ended(on, ended)
        for _ in range(SWEEPS):
            began = time.perf_counter()
            pipeline.sweep(on.app, budget)
            found.append({"seconds": round(time.perf_counter() - began, 1), **healthy.are_answered(on)})
            on.wait(300)
    return found


def main() -> int:
    """Measure, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured(ENDED, BUDGET, Path(folder))
    for number, one in enumerate(found, 1):
        print(f"sweep {number} of {BUDGET:.0f} s, with {ENDED} incidents:", one)
    return 0 if all(found[-1].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
