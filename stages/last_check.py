"""The last look before every containing write: the bars, asked live, and whether SCC still holds the finding active."""

from __future__ import annotations

from adapters.deadline import Deadline
from app import App
from core.errors import Refused, Transient
from core.incident import Incident, Phase
from core.intake import settled_in_scc
from core.mode import Cap, Mode
from core.target import Target
from stages.decide import UNREACHABLE_FOR_NS


class Barred(Exception):  # noqa: N818 - the write is stopped, which is no error
    """A bar came up since the decision; nothing is written."""

    def __init__(self, phase: Phase, cap: Cap) -> None:
        """`phase` is where the incident ends."""
        super().__init__(cap.reason)
        self.phase = phase
        self.cap = cap


class Unconfirmed(Exception):  # noqa: N818 - the write becomes a question
    """A caution came up that nobody has answered yet."""

    def __init__(self, cap: Cap) -> None:
        """`caps` go onto the question."""
        super().__init__(cap.reason)
        self.caps = (cap,)


def check_again(app: App, incident: Incident, deadline: Deadline) -> None:
    """Raises Barred, Unconfirmed, or Transient while SCC cannot be reached for its word."""
    _ceilings(app, incident)
    finding = incident.finding
    try:
        held = app.scc.find(finding.name, app.organization(finding.name), deadline.sooner(10), finding.canonical)
    except (Transient, Refused) as fault:
        _unreachable(app, incident, fault)
        return
    if held is None:
        raise Barred("monitored", Cap("unverified", "bar", "SCC does not hold this finding any more"))
    if settled := settled_in_scc(held):
        raise Barred("declined", Cap("settled", "bar", settled))
    same = isinstance(held.target, Target) and isinstance(finding.target, Target)
    if not same or not held.target.same_workload(finding.target) or held.category != finding.category:  # type: ignore[union-attr,arg-type]
        raise Barred("monitored", Cap("unverified", "bar", "SCC now holds this finding differently"))


def _ceilings(app: App, incident: Incident) -> None:
    for one in app.ceilings():
        name = "halt" if "halt" in one.reason else "ceiling"
        if one.mode is Mode.MONITOR:
            raise Barred("monitored", Cap(name, "bar", one.reason))
        if one.mode is Mode.APPROVE and incident.answer is None:
            raise Unconfirmed(Cap(name, "caution", one.reason))


def _unreachable(app: App, incident: Incident, fault: Exception) -> None:
    """Without SCC's word an approval that named just this goes on; else it is tried again, and then asked."""
    if incident.answer is not None and "unconfirmed" in incident.answer.cautions:
        return
    if app.now_ns() - incident.created_ns < UNREACHABLE_FOR_NS and isinstance(fault, Transient):
        message = f"SCC cannot be reached for the last check: {fault}"
        raise Transient(message)
    raise Unconfirmed(Cap("unconfirmed", "caution", f"not confirmed by SCC: {fault}"))
