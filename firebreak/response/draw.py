"""A policy's plan on what is so now; where related findings are not all known, SCC is asked about its refuge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.observation import Around
from firebreak.core.containment.plan import Plan
from firebreak.core.containment.whole_plan import plan_for
from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Step
from firebreak.response.app import App
from firebreak.response.observe import observe
from firebreak.response.readings import Away, Readings

_MOST_REFUGES = 10
"""How many are asked about, one after the other, before a person is."""


def draw(
    app: App,
    incident: Incident,
    finding: Finding,
    related: frozenset[str],
    steps: Iterable[Step],
    readings: Readings,
    *,
    complete: bool,
) -> tuple[Plan, Around]:
    """The plan of these steps, and what it was drawn on; raises Away.

    `complete` says whether `related` are all that related findings name on the finding's own target. Where not, and in
    further regions, a refuge is asked about by its name: one that SCC holds a threat on is suspect, and one of which it
    has no answer is for a person to judge.
    """
    steps = tuple(steps)
    asked: set[tuple[str, str]] = set()
    while True:
        around = observe(app, incident, finding, related, steps, readings)
        plan = plan_for(steps, around, incident, app.actions, app.policies.digest)
        refuges = {(one.target.key, name): one.target for one in plan.moves for name in one.turns_to}
        own = around.own.target.key
        new = {one: place for one, place in refuges.items() if one not in asked and not (complete and one[0] == own)}
        if not new:
            break
        unknown = _unvouched(app, new, finding, readings)
        asked |= new.keys()
        if unknown or len(asked) > _MOST_REFUGES:
            return plan, replace(around, unvouched=tuple(sorted(unknown or {name for _, name in new})))
        if not any(name in readings.threatened.get(key, ()) for key, name in new):
            break
    return plan, around


def _unvouched(
    app: App, refuges: dict[tuple[str, str], Target], finding: Finding, readings: Readings
) -> frozenset[str]:
    """Ask about each of them, and keep what is threatened among the readings; those of which there is no answer."""
    place = replace(finding.name, container=f"organizations/{app.organization(finding.name)}")
    unknown = set[str]()
    for (key, revision), target in refuges.items():
        try:
            found = app.scc.threatens(
                target, revision, place, app.policies.config.sources, readings.deadline.sooner(10)
            )
        except Transient as fault:
            if readings.waits_for("SCC"):
                raise Away("SCC", fault) from None
            unknown.add(revision)
        except Refused:
            unknown.add(revision)
        else:
            if found:
                readings.threatened[key] = readings.threatened.get(key, frozenset()) | {revision}
    return frozenset(unknown)
