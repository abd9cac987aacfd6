"""SCC's word on a finding: whose word to take, and how far to trust it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from firebreak.core.cloud_run.target import NotATarget, Target
from firebreak.core.containment.guard_input import Trust
from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.policy.triage import not_ours
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

_ASK_AGAIN = (0.3, 0.7, 1.5)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What SCC says of the finding: whose word to take, and how far to trust it."""

    finding: Finding
    trust: Trust
    reason: str


def held_by_scc(app: App, finding: Finding, deadline: Deadline) -> Finding | None:
    """The finding as SCC holds it now, under any of its names; None if it does not. Raises Transient or Refused."""
    return app.scc.find(finding.name, app.organization(finding.name), deadline.sooner(10), finding.other_names)


def confirm(app: App, told: Finding, deadline: Deadline) -> Confirmed:
    """Re-read the finding from SCC; not found or older than the message is asked again for a few seconds."""
    for pause in (*_ASK_AGAIN, None):
        try:
            held = held_by_scc(app, told, deadline)
        except (Transient, Refused) as fault:
            return Confirmed(told, "unreachable", str(fault))
        confirmed = _compare(told, held, app.policies.config.organization)
        if confirmed.trust not in ("missing", "older") or pause is None or deadline.passed:
            return confirmed
        time.sleep(pause)
    raise AssertionError  # pragma: no cover - the loop returns on its last turn


def _compare(told: Finding, found: Finding | None, organization: str | None) -> Confirmed:
    """SCC's word wins, but for the event's time: the incident is about the event that the message tells of."""
    held = found and replace(found, event_ns=told.event_ns)
    if found is None or held is None:
        return Confirmed(told, "missing", "SCC does not hold this finding")
    if found.event_ns < told.event_ns:
        return Confirmed(held, "older", "SCC holds an older state of this finding than the message tells")
    if reason := difference(told, held, organization):
        return Confirmed(told if isinstance(held.target, NotATarget) else held, "differs", reason)
    return Confirmed(held, "confirmed", "")


def difference(told: Finding, held: Finding, organization: str | None) -> str | None:
    """How SCC holds the finding differently: another organization, workload or category; None if it does not."""
    if stranger := not_ours(held, organization):
        return f"as SCC holds the finding, {stranger}"
    if organization is not None and held.organization is None:
        return "neither the finding's name nor its resource says of which organization it is"
    if held.category != told.category:
        return "SCC holds this finding with another category than the message tells"
    if isinstance(held.target, NotATarget):
        return f"as SCC holds the finding, {held.target.reason}"
    if isinstance(told.target, Target) and not told.target.same_workload(held.target):
        return "SCC holds this finding for another workload than the message tells"
    return None
