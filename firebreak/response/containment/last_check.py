"""The last look before every containing write: the bars, asked live, and whether SCC still holds the finding active."""

from __future__ import annotations

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.guards import CONTAINED, ceiling_caps, released_caps, self_caps, source_bar
from firebreak.core.errors import Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import Phase
from firebreak.core.mode import Cap
from firebreak.core.policy.triage import settled_in_scc
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.decision.confirm import difference, held_by_scc
from firebreak.response.decision.decide import UNREACHABLE_FOR_NS


class Barred(Exception):
    """A bar came up since the decision; nothing is written."""

    def __init__(self, phase: Phase, cap: Cap) -> None:
        """`phase` is where the incident ends."""
        super().__init__(cap.reason)
        self.phase = phase
        self.cap = cap


class Unconfirmed(Exception):
    """A caution came up that nobody has answered yet."""

    def __init__(self, cap: Cap) -> None:
        """`caps` go onto the question."""
        super().__init__(cap.reason)
        self.caps = (cap,)


def check_again(app: App, incident: Incident, target: Target, standing: Standing, deadline: Deadline) -> None:
    """Raises Barred, Unconfirmed, or Transient while SCC cannot be reached for its word."""
    _scc(app, incident, deadline)
    bars_now(app, incident, target, standing)


def bars_now(app: App, incident: Incident, target: Target, standing: Standing) -> None:
    """What may have come up in this very moment, a halt above all; raises Barred or Unconfirmed."""
    caps = [*ceiling_caps(app.ceilings()), *source_bar(incident.finding, app.policies.config)]
    caps += self_caps(target, app.settings.own)
    caps += [CONTAINED] if standing.held_by_others(incident.id) else []
    caps += released_caps(standing, app.now_ns())
    for cap in sorted(caps, key=lambda one: one.kind != "bar"):
        if cap.kind == "bar":
            raise Barred("monitored", cap)
        if not _answered(incident, cap):
            raise Unconfirmed(cap)


def _answered(incident: Incident, cap: Cap) -> bool:
    """Whether a person has answered this caution; any approval answers a ceiling, which only asks for one."""
    if incident.answer is None:
        return False
    return cap.name in incident.answer.cautions or cap.name == "ceiling"


def _scc(app: App, incident: Incident, deadline: Deadline) -> None:
    """An SCC that answers always decides; without its word it depends on what a person was told."""
    finding = incident.finding
    try:
        held = held_by_scc(app, finding, deadline)
    except (Transient, Refused) as fault:
        _unreachable(app, incident, fault)
        return
    if held is None:
        raise Barred("monitored", Cap("unverified", "bar", "SCC does not hold this finding any more"))
    if settled := settled_in_scc(held):
        raise Barred("declined", Cap("settled", "bar", settled))
    if differs := difference(finding, held, app.policies.config.organization):
        raise Barred("monitored", Cap("unverified", "bar", f"SCC now holds this finding differently: {differs}"))


def _unreachable(app: App, incident: Incident, fault: Exception) -> None:
    """Without SCC's word an approval that named just this goes on; else it is tried again, and then asked."""
    if incident.answer is not None and "unconfirmed" in incident.answer.cautions:
        return
    if app.now_ns() - incident.created_ns < UNREACHABLE_FOR_NS and isinstance(fault, Transient):
        message = f"SCC cannot be reached for the last check: {fault}"
        raise Transient(message)
    raise Unconfirmed(Cap("unconfirmed", "caution", f"not confirmed by SCC: {fault}"))
