"""Storms and growth: what many findings at once, or one large service or ledger, cost an instance in time and memory.

Firebreak's line in one process with the real clients over the wire of the sandbox, on a SQLite ledger; its clock skips
what is only waited for, so that all seconds are the processor's, and those that the sandbox took for its answers are
taken off. Memory has the sandbox in it. Exits with 1 where a finding is lost.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.ledgers import copy, on_firestore, on_sqlite
from benchmarks.line import LIMITS, WIDE, line
from benchmarks.storms import memory, storm
from firebreak.core.cloud_run.target import Target
from sandbox.world import World
from tests.response.harness import GOOD, ON_LATEST, REVISIONS, revision, world_of

ELSEWHERE = "incidents elsewhere"
GROWN: Mapping[str, int] = {
    "revisions": 1_000,
    "tags": 600,
    "related findings": 10_000,
    "incidents on it": 1_000,
    ELSEWHERE: 5_000,
}


def _world(what: str, count: int) -> World:
    if what == "revisions":
        old = tuple(revision(f"checkout-{number:05d}-old", 6, "-30d") for number in range(count))
        return world_of((*old, *REVISIONS))
    tags = tuple({"revision": GOOD, "tag": f"tag-{number}"} for number in range(count if what == "tags" else 0))
    return world_of(traffic=(*ON_LATEST, *tags))


def grown(what: str, count: int) -> tuple[float, str]:
    """Seconds of the processor for one finding with so many of something around it, and what that ended as."""
    with line(WIDE, _world(what, count)) as on:
        for number in range(count if what == "related findings" else 0):
            on.finding(finding_id=f"{number:032x}")
        if what.startswith("incidents"):
            first = on.respond(on.finding(finding_id="d" * 32))
            here = first.finding.target
            if isinstance(here, Target):
                elsewhere = [replace(here, name=f"other-{number}") for number in range(count)]
                copy(on, first, elsewhere if what == ELSEWHERE else [here] * count)
        pair = on.finding(finding_id="e" * 32)
        began = time.process_time() - on.sandbox.wire.processor
        incident = on.respond(pair)
        return time.process_time() - on.sandbox.wire.processor - began, incident.phase


def main() -> int:
    """Print storms, then growth, then ledgers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--findings", type=int, default=1_000, help="in the storms over as many services")
    parser.add_argument("--on-one", type=int, default=80, help="in the storm over one service")
    parser.add_argument("--incidents", type=int, default=1_000_000, help="on the SQLite ledger")
    parser.add_argument("--on-firestore", type=int, default=20_000, help="on the ledger of Firestore's emulator")
    given = parser.parse_args()
    lost = 0
    for name, count, one_service, config, faster in (
        ("on as many services, 5 an hour", given.findings, False, LIMITS, 1.0),
        ("on as many services, no limit", given.findings, False, WIDE, 10.0),
        ("on one service", given.on_one, True, LIMITS, 1.0),
    ):
        found = storm(count, one_service=one_service, config=config, faster=faster) if count else None
        lost += found.lost if found else 0
        print(f"{count:>6} findings {name:<32}{found.row if found else ''}", flush=True)
    few = [grown("revisions", 0)[0] for _ in range(2)][-1]  # the first one loads what it needs
    for what, count in GROWN.items():
        seconds, phase = grown(what, count)
        ratio = f"{seconds / few:.1f} times that with none"
        print(
            f"{count:>6} {what:<20}{seconds * 1000:>6.0f} ms, {ratio}, {memory():.0f} MiB at most; {phase}", flush=True
        )
    print(*on_sqlite(given.incidents), sep="\n", flush=True)
    print(*on_firestore(given.on_firestore), sep="\n", flush=True)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
