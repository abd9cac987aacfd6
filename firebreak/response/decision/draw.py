"""The plan of a policy for all that it has to change: the target, its other regions, what its suspects run as."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.words import RefusalKind
from firebreak.core.cloud_run.setting_names import IDENTITY
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.drafting import draft
from firebreak.core.containment.plan import Plan, StepRefusal
from firebreak.core.errors import Missing, Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Policy, Step
from firebreak.ledger.records import NotActedOn
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App
from firebreak.response.decision.look import Known, Seen, look_over, standing_on
from firebreak.response.set_aside import set_aside

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plan, and the targets beside the finding's own that it was drawn for.

    `unread` says of further targets why they could not be read, and `broken` of one that its standing containment
    cannot be believed.
    """

    plan: Plan
    further: tuple[Seen, ...] = ()
    unread: tuple[str, ...] = ()
    broken: str | None = None


def draw(app: App, incident: Incident, policy: Policy, seen: Seen, known: Known, deadline: Deadline) -> Drawing:
    """Draw the policy's steps on the target as it was seen, and on what else they reach; raises Transient.

    Steps on an identity are drawn once, beside the target itself: a service runs as the same in all its regions.
    """
    accounts = _accounts(seen) if _touches_identity(app, policy.then) else ()
    regions = other_regions(seen.workload)
    found = _look_at_all(app, incident, (*accounts, *regions), known, deadline)
    for fault in found.values():
        if isinstance(fault, NotActedOn):
            set_aside(app, fault)
    case, state = _with_identities(seen, accounts, found)
    failed = incident.failed_for(seen.workload.target, *accounts)
    plan = draft(policy.then, state, case, app.actions, policy_set=app.policies.digest, failed=failed)
    steps = _without_identity(app, policy.then)
    for region in regions:
        if isinstance(there := found[region.key], Seen):
            plan = plan.combined_with(_elsewhere(app, steps, there, incident.failed_for(region)), region.place)
    for one in (refusal for refusal in plan.refusals if refusal.kind == "fault"):
        app.log("ERROR", f"a fault in Firebreak itself, in {one.action}: {one.reason}", incident=incident.id)
    return Drawing(
        plan,
        tuple(one for one in found.values() if isinstance(one, Seen)),
        tuple(f"{one.place}{why}" for one in regions if (why := _left(found[one.key]))),
        next((str(one) for one in found.values() if isinstance(one, NotActedOn)), None),
    )


def other_regions(workload: Workload) -> tuple[Target, ...]:
    """The same service in its other regions; nothing for what runs in one."""
    return tuple(workload.target.in_region(one) for one in sorted(set(workload.regions) - {workload.target.location}))


_Found = Seen | Refused | Transient


def _left(found: _Found) -> str:
    """Why a region has to be asked about; one that is only wished for, and where nothing runs, has not."""
    if isinstance(found, Seen):
        told = found.case.own_suspects or found.case.suspicion.rule != "unplaced"
        return "" if told else f", where it cannot be told what is suspect: {found.case.suspicion.reason}"
    return "" if isinstance(found, Missing | NotActedOn) else f" could not be read: {found}"


def _elsewhere(app: App, steps: tuple[Step, ...], there: Seen, failed: frozenset[str]) -> Plan:
    """The plan of a further region; one where nothing is suspect, or that cannot be told, is left as it is."""
    if there.case.own_suspects:
        return draft(steps, there.workload.state, there.case, app.actions, failed=failed)
    found = there.case.suspicion
    kind: RefusalKind = "nothing_suspect" if found.rule == "absent" else "unread"
    return Plan((), (), tuple(StepRefusal(one.action, found.reason, kind) for one in steps))


def _look_at_all(
    app: App, incident: Incident, targets: tuple[Target, ...], known: Known, deadline: Deadline
) -> dict[str, _Found]:
    """What was seen of each, by key, or why nothing was."""
    if not targets:
        return {}

    def one(target: Target) -> _Found:
        try:
            standing = standing_on(app, incident, target)
        except NotActedOn as fault:
            return fault
        try:
            return look_over(app, incident, target, known, standing, deadline)
        except (Refused, Transient) as fault:
            return fault

    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="further") as pool:
        return {target.key: found for target, found in zip(targets, pool.map(one, targets), strict=True)}


def _accounts(seen: Seen) -> tuple[Target, ...]:
    """The service accounts that suspects run as."""
    workload, case = seen.workload, seen.case
    emails = {
        one.service_account or workload.service_account for one in case.revisions if one.name in case.suspects
    } - {""}
    return tuple(workload.target.account(email) for email in sorted(emails))


def _with_identities(seen: Seen, accounts: tuple[Target, ...], found: dict[str, _Found]) -> tuple[EditContext, State]:
    """The case and the settings that the target's own plan is drawn on, with those of its suspects' accounts."""
    state = dict(seen.workload.state)
    unread = dict(seen.case.unread)
    for account in accounts:
        if isinstance(there := found[account.key], Seen):
            state.update(there.workload.state)
        else:
            unread[IDENTITY] = f"{account.name}: {there}"
    return replace(seen.case, accounts=accounts, unread=MappingProxyType(unread)), state


def _touches_identity(app: App, steps: tuple[Step, ...]) -> bool:
    return any(IDENTITY in app.actions[one.action].surfaces or _touches_identity(app, one.otherwise) for one in steps)


def _without_identity(app: App, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        replace(one, otherwise=_without_identity(app, one.otherwise))
        for one in steps
        if IDENTITY not in app.actions[one.action].surfaces
    )
