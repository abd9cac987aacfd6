"""What is so now, read in parallel: the sources' evidence, the settings of every target and what stands on each."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.context import context_elsewhere, own_context
from firebreak.core.containment.observation import Around, Seen, accounts_of, surfaces_of
from firebreak.core.errors import AnotherResource, Missing, Refused, Transient
from firebreak.core.facts import Evidence
from firebreak.core.findings.file_report import NoReport
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.earlier import Suspicions
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Step
from firebreak.core.timestamps import NANOS
from firebreak.ledger.records import NotActedOn
from firebreak.ports.deadline import Deadline
from firebreak.ports.enrichment import Enricher, EnrichmentClients, answer_of
from firebreak.ports.log import LogSink
from firebreak.response.app import App
from firebreak.response.readings import Away, Readings, keeper_of
from firebreak.response.set_aside import set_aside

NOT_YET = "no answer yet when this was decided"
_LATELY_NS = 120 * NANOS
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


@dataclass(frozen=True, slots=True)
class _NotAsked:
    """In VirusTotal's place, about what leads to no write: whoever makes it up could use up the day's quota."""

    why: str

    def report(self, sha256: str, deadline: float) -> NoReport:  # noqa: ARG002 - as file reports answer
        """Why there is none."""
        return NoReport(sha256, "not_asked", f"VirusTotal is not asked about {self.why}")


def gather(app: App, finding: Finding, readings: Readings, *, unheld: bool = False) -> Gathering:
    """Ask every source about the finding, all at once; `unheld` says that SCC does not hold it."""
    config, why = app.policies.config, "findings that SCC does not hold" if unheld else ""
    listed = {*config.sources, *([config.drill.source] if config.drill else [])}
    if config.sources and finding.name.source not in listed:
        why = "findings of sources that firebreak.yaml does not list"
    sources = replace(app.sources, files=_NotAsked(why)) if why and app.sources.files else app.sources
    return Gathering.start(finding, sources, app.enrichers, readings.deadline, app.log)


_AT_ONCE = 8


def observe(
    app: App, incident: Incident, finding: Finding, related: frozenset[str], steps: Iterable[Step], readings: Readings
) -> Around:
    """Read all that these steps may touch; raises Away where that may still answer, and Transient."""
    target = finding.target
    if isinstance(target, NotATarget):
        return Around((Seen(Target("", "", "service", ""), None, None, None, target.reason, away=True),))
    touches = surfaces_of(steps, app.actions)
    own = _see(incident, target, readings, lambda seen: own_context(incident, finding, *seen, related))
    if own.workload is None or own.case is None:
        return Around((own,), gone=own.fault if own.gone else "")
    workload, case = own.workload, own.case
    accounts = accounts_of(workload, case) if IDENTITY in touches else ()
    regions = other_regions(workload)
    elsewhere = (*accounts, *regions)

    def one(target: Target) -> Seen:
        return _see(incident, target, readings, lambda seen: context_elsewhere(incident, finding, *seen, case))

    found: tuple[Seen, ...] = ()
    if elsewhere:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="observe") as pool:
            found = tuple(pool.map(one, elsewhere))
    everywhere = (own, *found)
    others = {key: held for one in everywhere for key, held in _suspicions_on(one, readings).items()}
    seen = tuple(_with_disputes(incident, one, readings, others) for one in everywhere)
    for part in seen:
        if part.workload and (missing := sorted(part.workload.away & touches)) and readings.waits_for("IAM"):
            raise Away("IAM", "; ".join(part.workload.unread[surface] for surface in missing))
    unread = tuple(f"{one.target.place}{why}" for one in found if (why := _unread(one, touches)))
    return Around(tuple(one for one in seen if not one.gone or one.target not in regions), unread)


def see_target(incident: Incident, target: Target, readings: Readings) -> Seen:
    """One target with the suspects that are on record; raises Away or Transient."""
    finding = incident.finding
    own = isinstance(finding.target, Target) and finding.target.key == target.key

    def context(seen: tuple[Workload, Standing | None]) -> EditContext:
        if own:
            return own_context(incident, finding, *seen, frozenset())
        return context_elsewhere(incident, finding, *seen, None)

    return _see(incident, target, readings, context)


def _see(
    incident: Incident,
    target: Target,
    readings: Readings,
    context: Callable[[tuple[Workload, Standing | None]], EditContext],
) -> Seen:
    """One target. What stands is read before the settings.

    Whoever comes to stand in between is noticed at the write.
    """
    standing, broken = _standing_on(incident, target, readings)
    try:
        workload = readings.workload_beside(target, standing)
    except Transient as fault:
        if readings.waits_for(keeper := keeper_of(target)):
            raise Away(keeper, fault) from None
        return Seen(target, None, None, standing, str(fault), away=True)
    except Refused as fault:
        return Seen(target, None, None, standing, str(fault), gone=isinstance(fault, Missing))
    if standing is not None and not standing.holds and workload.uid:
        if readings.app.now_ns() - workload.updated_ns < _LATELY_NS:
            readings.forget_standings()  # what was written while the settings were read may be Firebreak's own
            if readings.standing(target)[0].holds:
                return _see(incident, target, readings, context)
        # Another spelling of the project may be what stands here: the resource itself tells.
        standing, broken = _standing_on(incident, target, readings, workload.uid)
    try:
        standing = standing and (standing if standing.uid else standing.with_uid(workload.uid, workload.created_ns))
    except AnotherResource as fault:
        standing, broken = None, str(fault)
    case = context((workload, standing)).with_suspects(readings.threatened.get(target.key, frozenset()))
    return Seen(target, workload, case, standing, broken)


def _standing_on(incident: Incident, target: Target, readings: Readings, uid: str = "") -> tuple[Standing | None, str]:
    """What stands there, or None and why it cannot be believed; raises Transient while another incident writes."""
    try:
        standing, _ = readings.standing(target, uid)
    except NotActedOn as fault:
        set_aside(readings.app, fault)
        return None, str(fault)
    if doing := standing.being_written(incident.id, readings.app.now_ns()):
        message = f"{doing} is being written to the same target"
        raise Transient(message)
    return standing, ""


def _unread(seen: Seen, touches: frozenset[str]) -> str:
    """Why a region has to be asked about, also where a part of what is touched was not read; not where nothing runs."""
    if seen.target.kind == "service_account" or seen.gone:
        return ""
    if seen.case is None:
        return f" could not be read: {seen.fault}"
    if missing := sorted(seen.case.unread.keys() & touches):
        return f", where {'; '.join(f'{one} could not be read: {seen.case.unread[one]}' for one in missing)}"
    told = seen.case.own_suspects or seen.case.suspicion.rule != "unplaced"
    return "" if told else f", where it cannot be told what is suspect: {seen.case.suspicion.reason}"


def _suspicions_on(seen: Seen, readings: Readings) -> Mapping[str, Suspicions | None]:
    """What the ledger has about what was read; of an account nobody asks what is suspect there."""
    read = seen.workload is not None and seen.case is not None and seen.target.kind != "service_account"
    return readings.suspicions_on(readings.known_as(seen.target, seen.uid)) if read else {}


def _with_disputes(incident: Incident, seen: Seen, readings: Readings, others: Mapping[str, Suspicions | None]) -> Seen:
    """What was seen, with what other incidents have against revisions there: open ones, and those found true lately.

    `others` are those about any target that was seen: one in another region has its suspects here too. One that cannot
    be believed may have something against any revision of its own target.
    """
    if seen.workload is None or seen.case is None or seen.target.kind == "service_account":
        return seen
    found, doubts = dict[str, str](), dict[str, str]()
    target, here = readings.known_as(seen.target, seen.uid), _suspicions_on(seen, readings)
    for key, held in others.items():
        if key == incident.id:
            continue
        if held is not None:
            found |= dict.fromkeys(held.on(target, seen.uid, readings.app.now_ns()), f"is suspect in {key}")
        elif key in here:
            why = f"may be suspect in {key}, whose record cannot be believed"
            doubts |= {one.name: why for one in seen.workload.revisions}
    return replace(seen, case=replace(seen.case, disputed={**doubts, **found}))


def other_regions(workload: Workload) -> tuple[Target, ...]:
    """The same service in its other regions; nothing for what runs in one."""
    return tuple(workload.target.in_region(one) for one in sorted(set(workload.regions) - {workload.target.location}))
