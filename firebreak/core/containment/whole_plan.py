"""The plan of a policy for all that it has to change: the target, its other regions, what its suspects run as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from firebreak.core.actions.action import Actions
from firebreak.core.actions.words import RefusalKind
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.state import surface_of
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.drafting import draft
from firebreak.core.containment.observation import Around, Seen
from firebreak.core.containment.plan import Change, Plan, StepRefusal
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Step
from firebreak.core.secrets.redaction import all_named


def plan_for(steps: tuple[Step, ...], around: Around, incident: Incident, actions: Actions, policy_set: str) -> Plan:
    """The steps, drawn on everything that was read.

    Steps on an identity are drawn once, beside the target itself: a service runs as the same in all its regions.
    """
    own = around.own
    if own.workload is None or own.case is None:
        kind = own.target.kind.replace("_", " ")
        reason = f"the settings of this {kind} could not be read: {own.fault}" if own.target.name else own.fault
        return Plan((), (), tuple(StepRefusal(step.action, reason, "unread") for step in steps), (), policy_set)
    accounts = [one for one in around.seen if one.target.kind == "service_account"]
    state = dict(own.workload.state)
    unread = dict(own.case.unread)
    for account in accounts:
        if account.workload is None:
            unread[IDENTITY] = f"{account.target.name}: {account.fault}"
        else:
            state.update(account.workload.state)
    targets = tuple(one.target for one in accounts)
    uids = {one.target.key: one.uid for one in (own, *accounts)}
    case = replace(own.case, accounts=targets, unread=MappingProxyType(unread), uids=uids)
    failed = incident.failed_for(own.target, *targets)
    plan = draft(steps, state, case, actions, policy_set=policy_set, failed=failed)
    elsewhere = _without_identity(steps, actions)
    for region in around.regions:
        if region.case is not None:
            plan = plan.combined_with(_elsewhere(elsewhere, region, incident, actions), region.target.place)
    return plan


def _elsewhere(steps: tuple[Step, ...], there: Seen, incident: Incident, actions: Actions) -> Plan:
    """The plan of a further region; one where nothing is suspect, or that cannot be told, is left as it is."""
    if there.case is None or there.workload is None:
        return Plan((), ())
    if there.case.own_suspects:
        return draft(steps, there.workload.state, there.case, actions, failed=incident.failed_for(there.target))
    found = there.case.suspicion
    kind: RefusalKind = "nothing_suspect" if found.rule == "absent" else "unread"
    return Plan((), (), tuple(StepRefusal(one.action, found.reason, kind) for one in steps))


def _without_identity(steps: tuple[Step, ...], actions: Actions) -> tuple[Step, ...]:
    return tuple(
        replace(one, otherwise=_without_identity(one.otherwise, actions))
        for one in steps
        if IDENTITY not in actions[one.action].surfaces
    )


def differences(
    shown: Mapping[str, str], planned: Mapping[str, str], around: Around, incident: Incident
) -> Iterable[str]:
    """What is done otherwise with each setting, of two plans as `settings_in_words` has them, and what is so now."""
    for name in sorted(shown.keys() | planned.keys()):
        if shown.get(name) != planned.get(name):
            now = planned.get(name) or _in_force(name, around, incident)
            yield f"{name}: {shown.get(name, 'not to be changed')}, now {now}"


def _in_force(name: str, around: Around, incident: Incident) -> str:
    """The value of a setting that is named with its place, as it was read."""
    for seen in reversed(around.seen):  # the finding's own comes last: its names have no place
        place = incident.place_of(seen.target)
        key = name.removeprefix(place)
        if name.startswith(place) and ": " not in surface_of(key):
            return str(seen.workload.state.get(key, "not set")) if seen.workload else "not known"
    return "gone"


def settings_in_words(plan: Plan, place_of: Mapping[str, str]) -> dict[str, str]:
    """What a plan would do with each setting; `place_of` is by the target's key."""
    return {
        f"{place_of.get(change.target.key, '')}{key}": all_named(
            f"{change.before[key]} to {change.after[key]}", change.before[key], change.after[key]
        )
        for change in plan.changes
        for key in change.after
    }


def follows_what_was_shown(shown: Plan, plan: Plan, failed_on: Iterable[Target]) -> bool:
    """Whether the plan does only what was shown: its fallback where a change failed, its changes elsewhere."""
    failed = {one.key for one in failed_on}
    told = [one for one in shown.fallback if one.target.key in failed]
    told += [one for one in shown.changes if one.target.key not in failed]
    return all(any(_is_within(one, other) for other in told) for one in plan.changes if one.after)


def _is_within(change: Change, told: Change) -> bool:
    """Whether a person was shown all of the change; what is in effect of that by now is not written again."""
    same = (change.target.key, change.surface, change.actions) == (told.target.key, told.surface, told.actions)
    return same and change.after.items() <= told.after.items()
