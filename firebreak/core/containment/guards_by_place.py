"""Guards that ask where a target is: the ceilings that hold there, and whether a person has to be asked there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from firebreak.core.actions.action import Actions
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Plan
from firebreak.core.mode import Cap, Mode, made_cap
from firebreak.core.policy.protected import Place, protects
from firebreak.core.ternary import Truth


def guard_ceiling(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001 - one shape for all guards
    """The lowest maximum mode in force decides, of those everywhere and of those at any target of the plan.

    Every one below enforce is named. Where it is not known whether one holds at a target, it does.
    """
    found = [made_cap(one.name, _kind(one.mode), one.reason) for one in given.ceilings if one.mode is not Mode.ENFORCE]
    for name, seen in _concerned(given, plan) if given.config.ceilings else ():
        place = _place(given, seen)
        for one in given.config.ceilings:
            holds = protects(one.place, place) if one.mode is not Mode.ENFORCE else Truth.FALSE
            if holds is not Truth.FALSE:
                unsure = f", and it is not known whether {name} lies there" if holds is Truth.UNKNOWN else ""
                why = f"the ceiling of {one.place} in firebreak.yaml is {one.mode.word}{unsure}"
                found.append(Cap("ceiling", _kind(one.mode), why, seen.target.key, unknown=bool(unsure)))
    return found


def guard_protected(given: GuardInput, plan: Plan | None, actions: Actions) -> list[Cap]:  # noqa: ARG001
    """Each target of the plan that firebreak.yaml protects, or may protect, needs a person's approval."""
    caps = []
    for name, seen in _concerned(given, plan) if given.config.protected else ():
        place, key = _place(given, seen), seen.target.key
        verdicts = {protects(entry, place) for entry in given.config.protected}
        if Truth.TRUE in verdicts:
            caps.append(Cap("protected", "caution", f"firebreak.yaml protects {name}", key))
        elif Truth.UNKNOWN in verdicts:
            why = f"it is not known whether firebreak.yaml protects {name}"
            caps.append(Cap("protected", "caution", why, key, unknown=True))
    return caps


def _kind(mode: Mode) -> Literal["bar", "caution"]:
    return "bar" if mode is Mode.MONITOR else "caution"


def _concerned(given: GuardInput, plan: Plan | None) -> Iterator[tuple[str, Seen]]:
    """The finding's own target, and of what was read besides what the plan would change, each as people call it."""
    changed = {one.target.key for one in (*plan.changes, *plan.fallback)} if plan else frozenset[str]()
    for number, seen in enumerate(given.seen):
        if not number or seen.target.key in changed:
            yield seen.target.place if number else "this workload", seen


def _place(given: GuardInput, seen: Seen) -> Place:
    """Where a target is. The finding names the folders of its own project only. A service account is not a service."""
    target, home = seen.target, given.seen[0].target
    own = bool(target.project_spellings & home.project_spellings)
    account = target.kind == "service_account"
    labels = seen.workload.labels if seen.workload else None
    return Place(
        project=target.project_id,
        project_number=target.project_number,
        service="" if account else target.name,
        folders=frozenset(given.finding.folders) if own and given.finding.folders is not None else None,
        labels={} if account else labels,
    )
