"""How fast a backtest is beside the function's own reading of a message, on one core, and what memory it takes.

Findings as SCC publishes them, no two alike; the shipped policies. Processor time, so that other work does not count.
Exits with 1 where the rate is below 0.6 of the reading's, or memory grows with the number of findings.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import enrichment
import responders
from firebreak.backtest.deciding import Rules
from firebreak.backtest.run import BATCH, run
from firebreak.core.findings.notification import parse_notification
from firebreak.policy_folder import read_folder, read_yaml_policies
from sandbox.scc.notifications import Scene, malicious_binary_finding, notification_v2

WANTED = 0.6
MOST_GROWTH_MB = 64
_POLICIES = Path(__file__).resolve().parent.parent / "policies"


def body(number: int) -> bytes:
    """The message about finding number so-and-so, each on a service, at a time and with a command line of its own."""
    day, minute = divmod(number, 1440)
    scene = Scene(
        finding_id=f"{number:032x}",
        workload=f"services/service-{number % 997}",
        project_id=f"project-{number % 101}",
        event_time=f"2026-{1 + day // 28 % 12:02d}-{1 + day % 28:02d}T{minute // 60:02d}:{minute % 60:02d}:00Z",
        path=f"/srv/data/{number}/worker",
        args=(f"/srv/data/{number}/worker", "--level", str(number), "-o", f"pool{number}.example.net:4444"),
        contact=f"oncall-{number % 53}@shop.example",
    )
    return json.dumps(json.loads(notification_v2(malicious_binary_finding(scene)))).encode()


def rules() -> Rules:
    """The shipped policies."""
    return Rules(read_yaml_policies(read_folder(_POLICIES)), responders.discover(), enrichment.discover())


def seconds(works: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median processor time of each, in turns, so that a slow minute slows all of them; after one that warms up."""
    took: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):
        for each, work in zip(took, works, strict=True):
            began = time.process_time()
            work()
            each.append(time.process_time() - began)
    return [statistics.median(one[1:]) for one in took]


def written(folder: Path, count: int) -> str:
    """A file of so many messages."""
    file = folder / f"{count}.jsonl"
    with file.open("wb") as stream:
        for number in range(count):
            stream.write(body(number) + b"\n")
    return str(file)


def megabytes(file: str, processes: int) -> tuple[float, float]:
    """Most memory that a process of its own took for the file, and the seconds that passed."""
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    began = time.perf_counter()
    child = multiprocessing.get_context("fork").Process(target=_replayed, args=(file, processes, there))
    child.start()
    most = here.recv()
    child.join()
    return most / 1024, time.perf_counter() - began


def _replayed(file: str, processes: int, told: Connection) -> None:
    run([file], (rules(),), lambda _: None, processes)
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    told.send(max(resource.getrusage(one).ru_maxrss for one in kinds))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=20_000, help="of the larger file; the smaller has a tenth")
    parser.add_argument("--rounds", type=int, default=7)
    parsed = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        files = [written(Path(name), count) for count in (parsed.findings // 10, parsed.findings)]
        few = Path(files[0]).read_bytes().splitlines()
        sets = (rules(),)
        works = (
            lambda: [json.loads(one) for one in few],
            lambda: [parse_notification(one).finding.facts() for one in few],
            lambda: run([files[0]], sets, lambda _: None, 1),
        )
        floor, reading, whole = (one / len(few) for one in seconds(works, parsed.rounds))
        print(f"{len(few):,} findings of {len(few[0]) / 1000:.1f} kB, batches of {BATCH}, one core\n")
        for what, took in (("json.loads", floor), ("the function's reading", reading), ("the whole backtest", whole)):
            print(
                f"{what:<26}{took * 1e6:>8.0f} µs a finding{1 / took:>10,.0f} a second{took / floor:>8.1f} x json.loads"
            )
        print(f"\nthe backtest has {reading / whole:.2f} of the reading's rate (wanted: at least {WANTED})")
        (small, _), (large, took) = (megabytes(one, multiprocessing.cpu_count()) for one in files)
    print(f"memory of its largest process: {small:.0f} MB for {len(few):,}, {large:.0f} MB for {parsed.findings:,}")
    print(f"all {multiprocessing.cpu_count()} cores: {parsed.findings / took:,.0f} findings a second")
    return 0 if reading / whole >= WANTED and large - small < MOST_GROWTH_MB else 1


if __name__ == "__main__":
    sys.exit(main())
