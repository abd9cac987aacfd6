"""What the response works with: settings, policies, plug-ins and ports, put together by the composition root."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from firebreak.core.actions.action import Responder
from firebreak.core.cloud_run.target import Kind, Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.errors import Missing, Unsupported
from firebreak.core.findings.finding import FindingName
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Ceiling, Mode
from firebreak.core.policy.policy import Policy, PolicySet
from firebreak.core.timestamps import NANOS
from firebreak.ledger.ledger import Ledger
from firebreak.ports.account_usage import AccountUsage
from firebreak.ports.chat import PostToChat
from firebreak.ports.deadline import Deadline
from firebreak.ports.enrichment import Enricher, EnrichmentClients
from firebreak.ports.findings import FindingStore
from firebreak.ports.log import LogSink
from firebreak.ports.publisher import MessagePublisher
from firebreak.ports.surface import Reader, Surface
from firebreak.ports.vault import Vault
from firebreak.response.limits import WriteQueue
from firebreak.settings import Settings

_REVIEW_SECONDS = 4 * 3600


_MOST_AHEAD = 20
_HOUR_NS = 3600 * NANOS


class AskedAhead:
    """Of an hour the findings that SCC did not confirm, and those that it is being asked about. Safe between threads.

    Sources are asked about what only a message tells, whose hashes anybody who can publish one chooses.
    """

    def __init__(self) -> None:
        """Nothing was asked."""
        self._lock = threading.Lock()
        self._begun: deque[int] = deque()

    def begins(self, now_ns: int) -> bool:
        """Whether one more may be asked about before SCC has confirmed it; it counts until it is."""
        with self._lock:
            while self._begun and self._begun[0] <= now_ns - _HOUR_NS:
                self._begun.popleft()
            if len(self._begun) >= _MOST_AHEAD:
                return False
            self._begun.append(now_ns)
            return True

    def confirmed(self) -> None:
        """SCC holds what was asked about."""
        with self._lock:
            if self._begun:
                self._begun.pop()


@dataclass(frozen=True, slots=True)
class App:
    """Everything that the pipeline works with.

    `hung` are the channels that did not answer in this sweep, which asks them no more; None outside a sweep.
    """

    settings: Settings
    policies: PolicySet
    actions: Mapping[str, Responder]
    enrichers: Mapping[str, Enricher]
    ledger: Ledger
    readers: Mapping[Kind, Reader]
    surfaces: Mapping[str, Surface]
    account_users: AccountUsage
    scc: FindingStore
    sources: EnrichmentClients
    publisher: MessagePublisher
    vault: Vault
    post: PostToChat
    log: LogSink
    now_ns: Callable[[], int]
    hung: set[str] | None = None
    queue: WriteQueue = field(default_factory=WriteQueue)
    ahead: AskedAhead = field(default_factory=AskedAhead)

    def read(self, target: Target, deadline: Deadline) -> Workload:
        """The target as it is now; raises Missing, Denied, Unsupported or Transient."""
        return read_target(self.readers, target, deadline)

    def policy_of(self, incident: Incident) -> Policy | None:
        """The policy that decided the incident, as it stands now; None if it decides no more."""
        decision = incident.decision
        return next((one for one in self.policies.deciding if decision and one.id == decision.policy), None)

    def review_ns(self, incident: Incident) -> int:
        """When what stands of it is to be announced again."""
        policy = self.policy_of(incident)
        return self.now_ns() + (policy.review_after if policy else _REVIEW_SECONDS) * NANOS

    def organization(self, name: FindingName) -> str:
        """Our organization's number; without a firebreak.yaml, where nothing is ever written, the finding's own."""
        return self.policies.config.organization or name.container.rpartition("/")[2]

    @property
    def marks(self) -> bool:
        """Whether findings are marked in SCC: as set, else unless a configured ceiling is monitor."""
        if self.settings.marks is not None:
            return self.settings.marks
        configured = (*(one.mode for one in self.settings.ceilings), self.policies.config.ceiling)
        return Mode.MONITOR not in configured

    def ceilings(self) -> tuple[Ceiling, ...]:
        """Every ceiling in force now: the environment's, firebreak.yaml's, and the ledger's halt, read live."""
        config = self.policies.config.ceiling
        found = [*self.settings.ceilings, Ceiling(config, f"the ceiling in firebreak.yaml is {config.word}")]
        if halted := self.ledger.halt_reason():
            found.append(Ceiling(Mode.MONITOR, halted, "halt"))
        return tuple(found)


def read_target(readers: Mapping[Kind, Reader], target: Target, deadline: Deadline) -> Workload:
    """One reading of the target by the reader of its kind, under each spelling that is known of its project."""
    if target.kind not in readers:
        message = f"a {target.kind.replace('_', ' ')} is not read yet"
        raise Unsupported(message)
    *others, last = (target.project, *sorted(target.project_spellings - {target.project}))
    for project in others:
        with suppress(Missing):
            return readers[target.kind].read(replace(target, project=project), deadline)
    return readers[target.kind].read(replace(target, project=last), deadline)
