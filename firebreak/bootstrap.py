"""The one composition root: settings in, every collaborator out, nothing loaded or connected before it is used."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import enrichment
import responders
from firebreak.adapters.clients import Clients, require_packages
from firebreak.adapters.later import load_ahead
from firebreak.adapters.log import log_json
from firebreak.adapters.storage.key_file import seal_keys
from firebreak.adapters.storage.ledger_store import documents_of
from firebreak.adapters.storage.vault_store import vault_of
from firebreak.adapters.virustotal import LIBRARY, connect
from firebreak.adapters.webhook import post
from firebreak.core.cloud_run.target import Kind, Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.errors import Refused
from firebreak.core.findings.finding import Finding
from firebreak.core.findings.logs import LogLines, LogQuery, Order
from firebreak.core.findings.related import RelatedFindings
from firebreak.core.incidents.earlier import Earlier, Neighbour, changed_ns, has_file
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.condition import clauses, waits_for
from firebreak.core.policy.policy import Config, PolicySet
from firebreak.core.signing import Seal, Sealed
from firebreak.ledger.documents import Documents
from firebreak.ledger.ledger import Ledger
from firebreak.ledger.records import NotActedOn, StoredIncident
from firebreak.ports.deadline import Deadline
from firebreak.ports.enrichment import MOST_LOOKED_THROUGH, EnrichmentClients
from firebreak.ports.log import LogSink
from firebreak.ports.surface import Reader
from firebreak.response.app import App, read_target
from firebreak.settings import Settings

if TYPE_CHECKING:
    from firebreak.adapters.google.cloud_logging import CloudLogging
    from firebreak.adapters.google.security_center import SecurityCenter


_OLD_IN_A_ROW = 20
"""Incidents that did not change in the window, and end the search: their order anybody can change who can write."""


@dataclass(frozen=True, slots=True)
class _Workloads:
    readers: Mapping[Kind, Reader]

    def read(self, target: Target, seconds: float) -> Workload:
        return read_target(self.readers, target, Deadline.after(seconds))


@dataclass(frozen=True, slots=True)
class _Findings:
    scc: SecurityCenter
    config: Config

    def related(self, finding: Finding, target: Target, window_ns: int, seconds: float) -> RelatedFindings:
        organization = self.config.organization or finding.name.container.rpartition("/")[2]
        place = f"organizations/{organization}"
        return self.scc.related(finding, target, self.config.sources, window_ns, Deadline.after(seconds), place)


@dataclass(frozen=True, slots=True)
class _Logs:
    logging: CloudLogging

    def lines(self, query: LogQuery, order: Order, most: int, seconds: float) -> LogLines:
        return self.logging.lines(query, order, most, Deadline.after(seconds))


@dataclass(frozen=True, slots=True)
class _Incidents:
    ledger: Ledger
    policies: PolicySet

    def on(self, target: Target, most: int) -> tuple[Earlier, ...]:
        found = [one for _, one in self.ledger.about(target, most)]
        if any(isinstance(one, NotActedOn) or one.sealed is Sealed.BROKEN for one in found):
            message = "an earlier incident on this workload cannot be read, or its seal is broken"
            raise Refused(message)
        return tuple(one.earlier for one in found if isinstance(one, Neighbour) and one.earlier)

    def with_file(self, hashes: frozenset[str], but_for: tuple[str, str], since_ns: int) -> bool | None:
        named = (clause.fact for policy in self.policies.policies for clause in clauses(policy.when))
        if "recurrence.file_known" not in named:
            return None  # to read so many records is not for nothing
        whole, old, count = True, 0, 0
        for count, one in enumerate(map(_believed, self.ledger.listed(MOST_LOOKED_THROUGH)), 1):  # noqa: B007 - it is asked for below
            whole = whole and one is not None
            if one and one.created_ns >= since_ns and has_file(one, hashes, but_for):
                return True
            old = old + 1 if one and changed_ns(one) < since_ns else 0
            if old == _OLD_IN_A_ROW:
                return False if whole else None
        return False if whole and count < MOST_LOOKED_THROUGH else None


def _believed(held: StoredIncident | NotActedOn) -> Incident | None:
    """The incident, unless somebody without the seal key wrote it; where there is no key it is looked at as it is."""
    return held.incident if isinstance(held, StoredIncident) and held.sealed is not Sealed.BROKEN else None


def build(
    settings: Settings,
    policies: PolicySet,
    log: LogSink | None = None,
    documents: Documents | None = None,
    seal: Seal | None = None,
) -> App:
    """Wire everything; settings and policies were read by who calls, once, and nothing of them is read again.

    `documents` take the place of the ledger's configured store, and `seal` that of the keys, one of which may be made.
    """
    require_packages()
    clients = Clients(settings.emulators, settings.locations)
    readers = clients.readers
    key = settings.virustotal_key
    files = connect(key, settings.virustotal_host) if key else None
    seal = seal or Seal(seal_keys(settings))
    ledger = Ledger(documents or documents_of(settings), uuid.uuid4().hex, time.time_ns, seal)
    findings = _Findings(clients.scc, policies.config)
    return App(
        settings=settings,
        policies=policies,
        actions=responders.discover(),
        enrichers=enrichment.discover(),
        ledger=ledger,
        readers=readers,
        surfaces=clients.surfaces,
        account_users=clients.account_users,
        scc=clients.scc,
        sources=EnrichmentClients(
            findings, _Workloads(readers), files, _Logs(clients.logging), _Incidents(ledger, policies)
        ),
        vault=vault_of(settings),
        post=post,
        publisher=clients.publisher,
        log=log or log_json,
        now_ns=time.time_ns,
    )


def load_what_findings_need(app: App) -> None:
    """Begin to load what is asked about every finding, in the order of how long the answers take.

    VirusTotal comes first where a policy asks it, and when it is its turn where none does.
    """
    waited_for = frozenset[str]().union(*(waits_for(one.when, {}) for one in app.policies.deciding))
    load_ahead(
        *([LIBRARY] if app.sources.files and "virustotal" in waited_for else []), app.scc, app.readers["service"]
    )
