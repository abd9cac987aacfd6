"""An incident of at most 200 kB: of what only tells, the largest parts go first, and the record says which."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.secrets.redaction import LARGEST_RECORD, safe
from firebreak.core.serialization import encode

_FEW = 10
_SHORT = 200


def fit_to_size_limit(incident: Incident) -> tuple[Incident, dict[str, Any]]:
    """The incident as it can be stored, and as JSON; nothing that is executed is touched, nothing reduced in vain."""
    body: dict[str, Any] = encode(incident)
    for name, reduced in _REDUCTIONS:
        if len(json.dumps(body, ensure_ascii=False).encode()) <= LARGEST_RECORD:
            break
        incident = replace(reduced(incident), cut=tuple(sorted({*incident.cut, name})))
        body = encode(incident)
    return incident, body


def _evidence(incident: Incident) -> Incident:
    """The facts stay; what the sources show beside them goes, and what only other policies are tried on."""
    return replace(incident, evidence=tuple(replace(one, shown={}) for one in incident.evidence), rested_on={})


def _trace(incident: Incident) -> Incident:
    decision = incident.decision
    decisive = tuple(one for one in decision.trace if one.get("truth") != "false")[:_FEW] if decision else ()
    return replace(incident, decision=decision and replace(decision, trace=decisive))


def _finding(incident: Incident) -> Incident:
    """Every hash and digest stays, because suspects are found by them; texts are cut."""
    finding = incident.finding
    small: Finding = replace(
        finding,
        binaries=tuple(replace(one, path=safe(one.path, _SHORT)) for one in finding.binaries),
        containers=tuple(
            replace(one, name=safe(one.name, _SHORT), uri=safe(one.uri, _SHORT)) for one in finding.containers
        ),
        commands=tuple(safe(one, _SHORT) for one in finding.commands[:_FEW]),
        contacts=finding.contacts[:_FEW],
        description=safe(finding.description, _SHORT),
    )
    return replace(incident, finding=small)


def _history(incident: Incident) -> Incident:
    first, last = incident.history[:_FEW], incident.history[_FEW:][-3 * _FEW :]
    return replace(incident, history=tuple(replace(one, what=safe(one.what, _SHORT)) for one in (*first, *last)))


def _outbox(incident: Incident) -> Incident:
    """Drop announcements that were sent, but for the last few: the next one is numbered after them."""
    kept = tuple(one for one in incident.outbox[:-_FEW] if not one.sent)
    return replace(incident, outbox=(*kept, *incident.outbox[-_FEW:]))


_REDUCTIONS: tuple[tuple[str, Callable[[Incident], Incident]], ...] = (
    ("evidence", _evidence),
    ("trace", _trace),
    ("finding", _finding),
    ("history", _history),
    ("outbox", _outbox),
)
