"""What policies in shadow would have made of an incident: it is told, and nothing follows from it."""

from __future__ import annotations

from dataclasses import replace

from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.code_location import kind_and_place
from firebreak.core.containment.guards import caps_for
from firebreak.core.containment.whole_plan import plan_for
from firebreak.core.facts import merged
from firebreak.core.incidents.decision import Shadowed
from firebreak.core.incidents.incident import Incident
from firebreak.core.mode import Mode, capped
from firebreak.core.policy.policy import Policy
from firebreak.core.policy.selection import Choice, choose_in_shadow
from firebreak.core.policy.triage import facts_in_shadow
from firebreak.core.ternary import Truth
from firebreak.response.app import App
from firebreak.response.decide import Decided

MOST = 20
"""On record of one incident; further ones are only counted, in the log."""


def with_shadow(app: App, incident: Incident, decided: Decided) -> Incident:
    """The incident with that on its record, on the evidence that has come by now: nothing is waited for."""
    if incident.decision is None:
        return incident
    return replace(incident, decision=replace(incident.decision, shadow=in_shadow(app, decided)))


def in_shadow(app: App, decided: Decided, *, asked: bool = True) -> tuple[Shadowed, ...]:
    """Each policy in shadow that matches or may, on the evidence that has come and on what was read to decide.

    A fault in one is said and is on the record; it touches nothing else. Where nobody was `asked`, guards that could
    not be told what they ask lower nothing.
    """
    given = decided.ruling.given
    known = merged(decided.gathering.evidence)
    found = []
    for policy, own in facts_in_shadow(given.finding, app.policies):
        try:
            truth, choice = choose_in_shadow(policy, app.policies, own | known, given.now_ns)
            found += [] if choice is None else [_outcome(app, decided, policy, truth, choice, asked=asked)]
        except Exception as fault:  # noqa: BLE001 - whatever is wrong with it, what decides has decided
            where = kind_and_place(fault)
            app.log("ERROR", f"a fault in Firebreak itself, in the policy {policy.id}, which is in shadow: {where}")
            found.append(Shadowed(policy.id, Truth.UNKNOWN.word, "", policy.mode, Mode.MONITOR, fault=where))
    if len(found) > MOST:
        app.log("WARNING", f"of {len(found)} policies in shadow that match, {MOST} are on the record")
    return tuple(found[:MOST])


def _outcome(app: App, decided: Decided, policy: Policy, truth: Truth, choice: Choice, *, asked: bool) -> Shadowed:
    chosen, wanted = choice.policy or policy, choice.mode or Mode.MONITOR
    plan = plan_for(chosen.then, decided.around, decided.incident, app.actions, app.policies.digest)
    caps = caps_for(replace(decided.ruling.given, steps=chosen.then), plan, app.actions)
    told = tuple(cap for cap in caps if asked or not cap.unknown)
    changes = () if decided.around.unreferred(decided.incident.id) else plan.changes
    drawn = tuple(dict.fromkeys(name for change in changes for name in change.actions))
    unread = decided.around.own.workload is None or (_edits_identities(app, chosen) and not decided.around.accounts)
    return Shadowed(
        policy.id,
        truth.word,
        chosen.id,
        wanted,
        capped(wanted, told),
        tuple(dict.fromkeys(cap.name for cap in told)),
        chosen.actions if unread else drawn,
    )


def _edits_identities(app: App, policy: Policy) -> bool:
    return any(IDENTITY in app.actions[name].surfaces for name in policy.actions)
