"""From a finding's message to the request that contains, beside an honest one-call-after-another function.

Both run under functions-framework, as they are deployed, against one sandbox whose services answer as late as Google's
do; each delivery has a finding, a service and a hash of its own. They take turns in one run, so that whatever else the
machine does meets both alike. Told are medians, the 95th percentile, the ratio to the other function, and the limit:
the answers that have to be waited for one after the other, whoever waits. What is measured is kept in
docs/performance.json, from which `make generate` makes the table, the pictures and the README's headline.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from benchmarks.arena import Took
from benchmarks.bouts import PLAIN, ROOT, Latencies, cold, warm
from benchmarks.costs import asked
from benchmarks.figures import Figures, Loaded, Row, saved

START_UP = {
    "framework": "import flask, functions_framework",
    "Firebreak": "import main",
    "opponent": "import sys; sys.path.insert(0, 'benchmarks/opponent'); import main",
}
"""What is imported before a function listens; the framework alone is the floor."""

FIRST = {"VirusTotal": "GET files", "SCC": "ListFindings", "Cloud Run": "GetService"}
"""The first call of each that a decision rests on."""

FAR = "warm, the ledger 20 ms away, VirusTotal not asked"
Taken = Mapping[str, Sequence[Took]]


def row(what: str, taken: Taken, limit: float, bar: float | None = None) -> Row:
    """Both functions' milliseconds to the write, and the limit, given in seconds."""
    ours, theirs = (_written(taken[name]) for name in ("Firebreak", "opponent"))
    one, other = statistics.median(ours), statistics.median(theirs)
    return Row(what, one * 1000, other * 1000, _p95(ours) * 1000, bar, limit * 1000)


def _written(taken: Sequence[Took]) -> list[float]:
    """When each wrote; raises RuntimeError where one did not, which would be no comparison."""
    written = [one.written for one in taken if one.written is not None]
    if len(written) < len(taken):
        message = f"{len(taken) - len(written)} of {len(taken)} deliveries wrote nothing"
        raise RuntimeError(message)
    return written


def recorded_after(taken: Sequence[Took]) -> float:
    """Seconds from the end of the operation until it was told on the topic, the median."""
    pairs = [(one.recorded, one.operation_over) for one in taken]
    return statistics.median(told - over for told, over in pairs if told is not None and over is not None)


def asked_after(taken: Sequence[Took], method: str) -> float:
    """Seconds until the first call of this method arrived, the median."""
    return statistics.median(one.asked[method] for one in taken)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def _starts(runs: int) -> Iterator[Row]:
    """What a start costs before anything is asked, beside the framework that both are started by."""
    with tempfile.TemporaryDirectory() as compiled:
        taken = {name: [_started(code, compiled) for _ in range(runs + 1)][1:] for name, code in START_UP.items()}
    for number, what in enumerate(("processor milliseconds to import", "MiB after the import")):
        ours, theirs, floor = (
            statistics.median(one[number] for one in taken[name]) for name in ("Firebreak", "opponent", "framework")
        )
        yield Row(what, ours, theirs, bar=1.0, limit=floor)


def _started(code: str, compiled: str) -> tuple[float, float]:
    """Milliseconds of the processor, and MiB at most."""
    told = f"{code}; import time; print(time.process_time(), *open('/proc/self/status'))"
    cached = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled, "PYTHONPATH": ""}
    environment = {**os.environ, **cached}
    done = subprocess.run(  # noqa: S603 - Python itself
        [sys.executable, "-c", told], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    seconds, _, status = done.stdout.partition(" ")
    return float(seconds) * 1000, int(status.partition("VmHWM:")[2].split()[0]) / 1024


_SHOWN = 1_000
"""Microseconds from which a module is kept."""


def loaded(code: str = START_UP["Firebreak"]) -> list[Loaded]:
    """What is loaded before an instance listens and takes a millisecond, as `-X importtime` tells it.

    Telling makes all of it slower.
    """
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - Python itself
    lines = (line.removeprefix("import time:").split("|") for line in done.stderr.splitlines() if "|" in line)
    return [
        Loaded(name.strip(), (len(name) - len(name.lstrip()) - 1) // 2, int(total))
        for _, total, name in lines
        if total.strip().isdigit() and int(total) >= _SHOWN
    ]


def _warm_rows(what: str, taken: Taken, limit: float, bar: float | None) -> Iterator[Row]:
    yield row(what, taken, limit, bar)
    ours, theirs = (recorded_after(taken[name]) * 1000 for name in ("Firebreak", "opponent"))
    yield Row(f"{what}: told, after the operation ended", ours, theirs)


def _cold_rows(what: str, taken: Taken, limit: float) -> Iterator[Row]:
    yield row(what, taken, limit, 0.70)
    for whom, method in FIRST.items():
        one, other = (asked_after(taken[name], method) * 1000 for name in ("Firebreak", "opponent"))
        yield Row(f"{what}: {whom} is asked after", one, other)
    one, other = (statistics.median(each.memory for each in taken[name]) for name in ("Firebreak", "opponent"))
    yield Row(f"{what}: MiB at most until the answer", one, other, bar=1.0)


def _bouts(runs: int, cold_runs: int, only: str) -> Iterator[tuple[list[Row], Taken]]:
    """The lines whose names have `only` in them, and what they are made from."""
    day = Latencies()
    bouts: tuple[tuple[str, Latencies, str | None, int, float | None], ...] = (
        ("warm, VirusTotal not asked", day, PLAIN, runs, 0.25),
        ("warm, VirusTotal decides", day, None, runs, None),
        ("warm, ten times faster, VirusTotal decides", day.faster(10), None, runs, None),
        ("warm, VirusTotal hangs for 10 s", day.hanging(), PLAIN, max(1, runs // 5), 0.02),
        (FAR, replace(day, ledger=0.020), PLAIN, runs, None),
    )
    for what, latencies, policy, times, bar in (one for one in bouts if only in one[0]):
        taken = warm(latencies, policy, times)
        yield list(_warm_rows(what, taken, latencies.limit(asks_virustotal=policy is None), bar)), taken
    starts = (("cold, VirusTotal not asked", PLAIN), ("cold, VirusTotal decides", None))
    for what, policy in (one for one in starts if only in one[0]):
        taken = cold(day, policy, cold_runs)
        yield list(_cold_rows(what, taken, day.limit(asks_virustotal=policy is None))), taken
    if only in "import":
        yield list(_starts(cold_runs)), {}


def main() -> int:
    """Measure each line of the table in turn, and keep the run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=15, help="deliveries of each function, for each line")
    parser.add_argument("--cold-runs", type=int, default=7, help="process starts of each function, for each line")
    parser.add_argument("--only", default="", help="measure the lines with this in their names, and keep the others")
    given, load = parser.parse_args(), round(os.getloadavg()[0], 1)
    rows: dict[str, Row] = {one.what: one for one in saved().rows} if given.only else {}
    trips = saved().trips if given.only else ()
    for more, taken in _bouts(given.runs, given.cold_runs, given.only):
        for one in more:
            print(one.line, flush=True)
            rows[one.what] = replace(one, load=load)
        trips = next((one.trips for one in reversed(taken.get("Firebreak", ())) if one.trips), trips)
    Figures(
        date=f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        processors=os.cpu_count() or 1,
        python=platform.python_version(),
        runs=given.runs,
        cold_runs=given.cold_runs,
        rows=list(rows.values()),
        asked=asked(),
        trips=trips,
        cold=loaded(),
    ).save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
