"""Ask every source in parallel, each with its own deadline, and stop waiting when no answer could change anything."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from firebreak.core.facts import Evidence
from firebreak.core.findings.finding import Finding
from firebreak.ports.deadline import Deadline
from firebreak.ports.enrichment import Enricher, EnrichmentClients, answer_of
from firebreak.ports.log import LogSink

NOT_YET = "no answer yet when this was decided"
Matters = Callable[[tuple[Evidence, ...], frozenset[str]], frozenset[str]]
"""Given the answers so far and the sources still outstanding: which of these could still change the decision."""


@dataclass
class Gathering:
    """Answers about a finding as they come in. One thread a source; one that hangs is left behind with a named gap."""

    finding: Finding
    sources: Mapping[str, Enricher]
    deadline: Deadline
    answers: queue.SimpleQueue[Evidence]
    started: float
    log: LogSink
    collected: dict[str, Evidence]

    @classmethod
    def start(
        cls,
        finding: Finding,
        collaborators: EnrichmentClients,
        enrichers: Mapping[str, Enricher],
        deadline: Deadline,
        log: LogSink,
    ) -> Gathering:
        """Ask every source at once; what fails in one of them is said with its place in the code."""
        gathering = cls(finding, enrichers, deadline, queue.SimpleQueue(), time.monotonic(), log, {})
        for name, enricher in enrichers.items():
            threading.Thread(
                target=gathering._ask,
                args=(name, enricher, collaborators),
                name=f"source-{name}",
                daemon=True,
            ).start()
        return gathering

    def _ask(self, name: str, enricher: Enricher, collaborators: EnrichmentClients) -> None:
        began = time.monotonic()
        evidence = answer_of(name, enricher, self.finding, collaborators, self.log)
        self.answers.put(replace(evidence, took_ms=round((time.monotonic() - began) * 1000)))

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What has been answered so far, by source name."""
        return tuple(self.collected[name] for name in sorted(self.collected))

    @property
    def outstanding(self) -> frozenset[str]:
        """Sources that have neither answered nor run out of time."""
        return frozenset(self.sources.keys() - self.collected.keys())

    @property
    def unanswered(self) -> tuple[Evidence, ...]:
        """For the record: what has not answered so far."""
        return tuple(Evidence(name, gap=NOT_YET) for name in sorted(self.outstanding))

    def until_it_suffices(self, matters: Matters) -> tuple[Evidence, ...]:
        """Wait until no outstanding source could change the decision; sources out of time become gaps."""
        while self.outstanding and matters(self.evidence, self.outstanding):
            self._wait_for_one()
        return self.evidence

    def rest(self) -> tuple[Evidence, ...]:
        """Wait for what is still outstanding, for the record."""
        while self.outstanding:
            self._wait_for_one()
        return self.evidence

    def late(self, seconds: float) -> frozenset[str]:
        """Sources that have not answered so many seconds after they were asked; none of them is waited for longer."""
        until = self.started + seconds
        while self.outstanding and (time.monotonic() < until or not self.answers.empty()):
            self._wait_for_one(until - time.monotonic())
        return self.outstanding

    def _wait_for_one(self, at_most: float = math.inf) -> None:
        waits = {name: self._left(name) for name in self.outstanding}
        try:
            answered = self.answers.get(timeout=max(0.0, min(at_most, *waits.values())))
        except queue.Empty:
            for name in [name for name in waits if self._left(name) <= 0]:
                took = round((time.monotonic() - self.started) * 1000)
                self.collected[name] = Evidence(
                    name, gap=f"no answer within {took / 1000:.1f} s", took_ms=took, away=True
                )
        else:
            if answered.source in self.outstanding:
                self.collected[answered.source] = answered

    def _left(self, name: str) -> float:
        return self.deadline.remaining(self.sources[name].deadline - (time.monotonic() - self.started))
