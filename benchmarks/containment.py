"""From a finding's message to the request that contains, beside an honest one-call-after-another function.

Both run under functions-framework, as they are deployed, against one sandbox whose services answer as late as Google's
do; each delivery has a finding, a service and a hash of its own. They take turns in one run, so that whatever else the
machine does meets both alike. Told are medians, the 95th percentile, the ratio to the other function, and the limit:
the answers that have to be waited for one after the other, whoever waits.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arena import WRITE, Arena, Contestant, Took
from sandbox.server import Sandbox
from sandbox.world import World

ROOT = Path(__file__).resolve().parents[1]
TOPIC = "projects/security/topics/incidents"

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
                    took = arena.delivered(url, pair, began)
                if number:
                    taken.setdefault(name, []).append(took)
    return taken


def row(what: str, taken: Mapping[str, Sequence[Took]], limit: float) -> str:
    """Both functions' times to the write, their ratio, the limit, and how many times that Firebreak takes."""
    ours, theirs = (_written(taken[name]) for name in ("Firebreak", "opponent"))
    one, other = statistics.median(ours), statistics.median(theirs)
    cells = (one * 1000, _p95(ours) * 1000, other * 1000, limit * 1000)
    return "{:<34} {:>7.0f} {:>7.0f} {:>9.0f}".format(what, *cells[:3]) + (
        f" {one / other:>6.2f} {cells[3]:>6.0f} {one / limit:>6.2f}"
    )


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


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, round(0.95 * len(values)) - 1)]


def main() -> int:
    """Measure each line of the table in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=15, help="deliveries of each function, for each line")
    parser.add_argument("--cold-runs", type=int, default=7, help="process starts of each function, for each line")
    given = parser.parse_args()
    day = Latencies()
    names = "{:<34} {:>7} {:>7} {:>9} {:>6} {:>6} {:>6}"
    print(names.format("milliseconds to the write", "ours", "p95", "opponent", "ratio", "limit", "ratio"))
    bouts: tuple[tuple[str, Latencies, str | None, int], ...] = (
        ("warm, VirusTotal not asked", day, PLAIN, given.runs),
        ("warm, VirusTotal decides", day, None, given.runs),
        ("warm, ten times faster, it decides", day.faster(10), None, given.runs),
        ("warm, VirusTotal hangs for 10 s", day.hanging(), PLAIN, max(1, given.runs // 5)),
    )
    for what, latencies, policy, runs in bouts:
        taken = warm(latencies, policy, runs)
        print(row(what, taken, latencies.limit(asks_virustotal=policy is None)), flush=True)
        after = recorded_after(taken["Firebreak"])
        print(f"{'  told after the operation ended':<34} {after * 1000:>7.0f}", flush=True)
    for what, policy in (("cold, VirusTotal not asked", PLAIN), ("cold, VirusTotal decides", None)):
        taken = cold(day, policy, given.cold_runs)
        print(row(what, taken, day.limit(asks_virustotal=policy is None)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
