"""Both functions beside each other, on one sandbox that answers as late as Google and VirusTotal do."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from benchmarks.arena import WRITE, Arena, Contestant, Took
from firebreak.core.policy.compiled import compiled
from firebreak.policy_folder import COMPILED, read_folder, read_yaml_policies
from sandbox.server import Sandbox
from sandbox.world import World

ROOT = Path(__file__).resolve().parents[1]
TOPIC = "projects/security/topics/incidents"
BENCHMARKS = ROOT / "benchmarks"

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
    ledger: float = 0.0
    """Of each round trip; without it the ledger is a file beside the function, and the opponent has none."""

    def faster(self, times: float) -> Latencies:
        """All of them so many times shorter."""
        return Latencies(*(one / times for one in astuple(self)))

    def hanging(self) -> Latencies:
        """VirusTotal does not answer for ten seconds."""
        return replace(self, virustotal=10.0)

    def limit(self, *, asks_virustotal: bool) -> float:
        """Seconds until the write at least: what it rests on can all be asked at once, and no answer comes sooner.

        Then what is to be written is saved, and after that the halt is read.
        """
        return max(self.scc, self.read, self.virustotal if asks_virustotal else 0.0) + 2 * self.ledger

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
    """Compiled beside the YAML, as in an archive that is deployed."""
    policies = folder / "policies"
    if text is None:
        shutil.copytree(ROOT / "policies", policies)
    else:
        policies.mkdir()
        (policies / "10.yaml").write_text(text, encoding="utf-8")
    limits = "limits: {per_project_per_hour: 100000, per_hour: 100000}\n"
    config = f'organization: "123456789012"\nsources: ["5678"]\nceiling: enforce\n{limits}'
    (policies / "firebreak.yaml").write_text(config, encoding="utf-8")
    files = {Path(path).name: text for path, text in read_folder(policies).items()}
    (policies / COMPILED).write_text(compiled(read_yaml_policies(files), files), encoding="utf-8")
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
            "FAR_LEDGER_SECONDS": str(latencies.ledger),
            "FAR_LEDGER_CALLS": str(folder / "ledger-calls.txt"),
        }
        ours, theirs = ROOT / "main.py", BENCHMARKS / "opponent" / "main.py"
        if latencies.ledger:
            ours, theirs = BENCHMARKS / "with_far_ledger.py", BENCHMARKS / "opponent" / "with_ledger.py"
        yield (
            Arena(sandbox, folder / "ledger-calls.txt"),
            {
                "Firebreak": Contestant(ours, environment, folder / "firebreak.log"),
                "opponent": Contestant(theirs, environment, folder / "other.log"),
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
