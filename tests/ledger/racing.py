"""Racers for one incident: threads and separate processes, with clocks of their own, on any store."""

from __future__ import annotations

import multiprocessing
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from firebreak.core.errors import Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.notification import parse_notification
from firebreak.core.signing import Seal
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import StoredIncident
from tests.ledger.stores import Store, taken

RACERS = 16
FINDING = parse_notification((Path(__file__).parent.parent / "findings" / "v2.json").read_bytes()).finding
WAIT = 60.0


@dataclass(frozen=True)
class Claim:
    """How one claim ended: `held` is the owner that the incident then had, None where the racer was told Transient."""

    racer: str
    held: str | None
    milliseconds: float


def another_finding() -> Finding:
    """A finding that nobody has claimed."""
    return replace(FINDING, name=replace(FINDING.name, finding=uuid.uuid4().hex))


def ledger_of(store: Store, owner: str, skew_ns: int = 0) -> Ledger:
    """A ledger as a process of that name has it, whose clock is off by so much."""
    return Ledger(store(), owner, lambda: time.time_ns() + skew_ns, Seal((b"key",)))


def claimed(ledger: Ledger, finding: Finding) -> tuple[Claim, StoredIncident | None]:
    """Claim once; a redelivery would come later."""
    begun, held = time.perf_counter(), None
    with suppress(Transient):
        held = taken(ledger, finding)
    took = (time.perf_counter() - begun) * 1000
    return Claim(ledger.owner, held.incident.owner if held else None, took), held


def side_by_side(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each of them returns, all begun at once in threads of their own."""
    answers: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(number: int) -> None:
        start.wait(WAIT)
        answers[number] = works[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    return answers


def thread_claims(ledgers: Sequence[Ledger], finding: Finding) -> list[tuple[Claim, StoredIncident | None]]:
    return side_by_side([partial(claimed, one, finding) for one in ledgers])


def process_claims(store: Store, findings: Sequence[Finding], skew_ns: int = 0) -> list[list[Claim]]:
    """For each finding, how the claim of each process ended; all processes claim at once."""
    context = fresh_processes()
    start, racers = context.Barrier(RACERS), []
    for number in range(RACERS):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_race, args=(store, f"process-{number}", skew_ns, findings, start, there))
        process.start()
        racers.append((process, here))
    claims = [here.recv() for _, here in racers]
    for process, _ in racers:
        process.join(WAIT)
    return [list(one) for one in zip(*claims, strict=True)]


def fresh_processes() -> Any:
    """Processes that share nothing with this one, and no connection; the modules are loaded once for all."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ledger.racing", "firebreak.adapters.storage.firestore"])
    return context


def _race(
    store: Store, owner: str, skew_ns: int, findings: Sequence[Finding], start: threading.Barrier, answer: Connection
) -> None:
    ledger, claims = ledger_of(store, owner, skew_ns), []
    ledger.read("connects before the race")
    for finding in findings:
        start.wait(WAIT)
        claims.append(claimed(ledger, finding)[0])
    answer.send(claims)


def claim_and_hang(store: Store, owner: str, finding: Finding, answer: Connection) -> None:
    """Own the incident, say so, and never come to an end."""
    answer.send(claimed(ledger_of(store, owner), finding)[0])
    threading.Event().wait()
