"""From a finding's message to the request that contains, beside an honest one-call-after-another function.

Both run under functions-framework, as they are deployed, against one sandbox whose services answer as late as Google's
do; each delivery has a finding, a service and a hash of its own. They take turns in one run, so that whatever else the
machine does meets both alike. Told are medians, the 95th percentile, the ratio to the other function, and the limit:
the answers that have to be waited for one after the other, whoever waits. What is printed is the table of
docs/performance.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.arena import WRITE, Arena, Contestant, Took
from sandbox.server import Sandbox
from sandbox.world import World

ROOT = Path(__file__).resolve().parents[1]
TOPIC = "projects/security/topics/incidents"

START_UP = {
    "framework": "import flask, functions_framework",
    "Firebreak": "import main",
    "opponent": "import sys; sys.path.insert(0, 'benchmarks/opponent'); import main",
}
"""What is imported before a function listens; the framework alone is the floor."""

FIRST = {"VirusTotal": "GET files", "SCC": "ListFindings", "Cloud Run": "GetService"}
"""The first call of each that a decision rests on."""

PLAIN = """
id: plain
mode: enforce
when: {finding.category: "Execution: Added Malicious Binary Executed"}
then: [{action: pin_previous_revision, otherwise: [{action: cut_traffic}]}]
examples:
  - {given: {}, expect: {mode: enforce}}
  - {given: {finding.category: "Reverse Shell"}, expect: nothing}
"""
"""A policy that does not ask VirusTotal."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long each kind of call takes, in seconds."""

    virustotal: float = 0.400
    scc: float = 0.090
    read: float = 0.070
    write: float = 0.150
    operation: float = 1.5

    def faster(self, times: float) -> Latencies:
        """All of them so many times shorter."""
        return Latencies(*(one / times for one in (self.virustotal, self.scc, self.read, self.write, self.operation)))

    def hanging(self) -> Latencies:
        """VirusTotal does not answer for ten seconds."""
        return Latencies(10.0, self.scc, self.read, self.write, self.operation)

    def limit(self, *, asks_virustotal: bool) -> float:
        """Seconds until the write at least: what it rests on can all be asked at once, and no answer comes sooner."""
        return max(self.scc, self.read, self.virustotal if asks_virustotal else 0.0)

    def by_method(self) -> dict[str, float]:
        """As the sandbox takes them; each method fits one line."""
        return {
            "virustotal/*": self.virustotal,
            "google.cloud.securitycenter.v2.SecurityCenter/*": self.scc,
            "google.cloud.run.v2.*/Get*": self.read,
            "google.cloud.run.v2.*/List*": self.read,
            WRITE: self.write,
        }


def _policies(folder: Path, text: str | None) -> Path:
    policies = folder / "policies"
    if text is None:
        shutil.copytree(ROOT / "policies", policies)
    else:
        policies.mkdir()
        (policies / "10.yaml").write_text(text, encoding="utf-8")
    limits = "limits: {per_project_per_hour: 100000, per_hour: 100000}\n"
    config = f'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n{limits}'
    (policies / "firebreak.yaml").write_text(config, encoding="utf-8")
    return policies


@contextmanager
def _bout(latencies: Latencies, policy: str | None) -> Iterator[tuple[Arena, dict[str, Contestant]]]:
    """A sandbox with these latencies, and both functions, not yet running."""
    given = {"settle_seconds": latencies.operation, "latencies": latencies.by_method(), "services": []}
    with tempfile.TemporaryDirectory(prefix="firebreak-bench-") as place, Sandbox(World.load(given)) as sandbox:
        folder = Path(place)
        environment = {
            **sandbox.environment(),
            "FIREBREAK_POLICIES": str(_policies(folder, policy)),
            "FIREBREAK_LEDGER": f"sqlite:///{folder / 'ledger.sqlite'}",
            "FIREBREAK_EVIDENCE": f"file://{folder / 'evidence'}",
            "FIREBREAK_CEILING": "enforce",
            "FIREBREAK_INCIDENTS_TOPIC": TOPIC,
            "VIRUSTOTAL_API_KEY": "bench",
            "XDG_STATE_HOME": str(folder),
            "GRPC_VERBOSITY": "NONE",
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPATH": "",
        }
        yield (
            Arena(sandbox),
            {
                "Firebreak": Contestant(ROOT / "main.py", environment, folder / "firebreak.log"),
                "opponent": Contestant(ROOT / "benchmarks" / "opponent" / "main.py", environment, folder / "other.log"),
            },
        )


def warm(latencies: Latencies, policy: str | None, runs: int) -> dict[str, list[Took]]:
    """Deliveries to processes that have answered before, in turns."""
    taken: dict[str, list[Took]] = {}
    with _bout(latencies, policy) as (arena, both), ExitStack() as running:
        urls = {name: running.enter_context(one.running()) for name, one in both.items()}
        for number in range(runs + 1):
            for name, url in urls.items():
                took = arena.delivered(url, arena.finding())
                if number:
                    taken.setdefault(name, []).append(took)
    return taken


def cold(latencies: Latencies, policy: str | None, runs: int) -> dict[str, list[Took]]:
    """From the start of the process, the message being there already, as Cloud Run holds it back until it listens."""
    taken: dict[str, list[Took]] = {}
    with _bout(latencies, policy) as (arena, both):
        for number in range(runs + 1):
            for name, one in both.items():
                pair, began = arena.finding(), time.monotonic()
                with one.running() as url:
                    took = replace(arena.delivered(url, pair, began), memory=one.memory())
                if number:
                    taken.setdefault(name, []).append(took)
    return taken


HEAD = """| milliseconds to the write | Firebreak | p95 | opponent | ratio | bar | limit | ratio |
|---|---|---|---|---|---|---|---|"""


def row(what: str, taken: Mapping[str, Sequence[Took]], limit: float, bar: str = "") -> str:
    """Both functions' times to the write, their ratio and its bar; the limit, and Firebreak's ratio to that."""
    ours, theirs = (_written(taken[name]) for name in ("Firebreak", "opponent"))
    one, other = statistics.median(ours), statistics.median(theirs)
    first = f"| {what} | {one * 1000:.0f} | {_p95(ours) * 1000:.0f} | {other * 1000:.0f} | {one / other:.2f}"
    return f"{first} | {bar} | {limit * 1000:.0f} | {one / limit:.2f} |"


def beside(what: str, ours: float, theirs: float, bar: str = "") -> str:
    """A figure of both functions that has no limit."""
    return f"| {what} | {ours:.0f} | | {theirs:.0f} | {ours / theirs:.2f} | {bar} | | |"


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


def _starts(runs: int) -> Iterator[str]:
    """What a start costs before anything is asked, beside the framework that both are started by."""
    with tempfile.TemporaryDirectory() as compiled:
        taken = {name: [_started(code, compiled) for _ in range(runs + 1)][1:] for name, code in START_UP.items()}
    for number, what in enumerate(("processor milliseconds to import", "MiB after the import")):
        ours, theirs, floor = (
            statistics.median(one[number] for one in taken[name]) for name in ("Firebreak", "opponent", "framework")
        )
        yield f"{beside(what, ours, theirs, '1.00').removesuffix('| | |')}| {floor:.0f} | {ours / floor:.2f} |"


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


def main() -> int:
    """Measure each line of the table in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=15, help="deliveries of each function, for each line")
    parser.add_argument("--cold-runs", type=int, default=7, help="process starts of each function, for each line")
    given = parser.parse_args()
    day = Latencies()
    print(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} processors, Python {platform.python_version()}:\n")
    print(HEAD)
    bouts: tuple[tuple[str, Latencies, str | None, int, str], ...] = (
        ("warm, VirusTotal not asked", day, PLAIN, given.runs, "0.25"),
        ("warm, VirusTotal decides", day, None, given.runs, ""),
        ("warm, ten times faster, VirusTotal decides", day.faster(10), None, given.runs, ""),
        ("warm, VirusTotal hangs for 10 s", day.hanging(), PLAIN, max(1, given.runs // 5), "0.02"),
    )
    for what, latencies, policy, runs, bar in bouts:
        taken = warm(latencies, policy, runs)
        print(row(what, taken, latencies.limit(asks_virustotal=policy is None), bar), flush=True)
        ours, theirs = (recorded_after(taken[name]) * 1000 for name in ("Firebreak", "opponent"))
        print(beside("… and told, after the operation ended", ours, theirs), flush=True)
    for what, policy in (("cold, VirusTotal not asked", PLAIN), ("cold, VirusTotal decides", None)):
        taken = cold(day, policy, given.cold_runs)
        print(row(what, taken, day.limit(asks_virustotal=policy is None), "0.70"), flush=True)
        for whom, method in FIRST.items():
            one, other = (asked_after(taken[name], method) for name in ("Firebreak", "opponent"))
            print(beside(f"… {whom} is asked after", one * 1000, other * 1000), flush=True)
        one, other = (statistics.median(each.memory for each in taken[name]) for name in ("Firebreak", "opponent"))
        print(beside("… and MiB at most until the answer", one, other, "1.00"), flush=True)
    for line in _starts(given.cold_runs):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
