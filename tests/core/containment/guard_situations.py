"""A situation in which nothing is wrong, for tests of guards to change one thing about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from firebreak.core.actions.action import Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.actions.suspects import Suspicion
from firebreak.core.actions.words import Rule
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.containment.guard_input import GuardInput
from firebreak.core.containment.guards import caps_for
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Change, Plan
from firebreak.core.findings.notification import parse_notification
from firebreak.core.mode import Ceiling, Mode
from firebreak.core.policy.policy import Config, Step

SECOND = 1_000_000_000
EVENT = 10_000 * SECOND
NONE: frozenset[str] = frozenset()
FINDING = replace(
    parse_notification((Path(__file__).parents[2] / "findings" / "v2.json").read_bytes()).finding,
    event_ns=EVENT,
    folders=("7",),
)
TARGET = Target("shop", "l", "service", "svc", project_id="shop", project_number="1")
ELSEWHERE = replace(TARGET, location="m")
OWN = "//run.googleapis.com/projects/{}/locations/l/services/firebreak"


@dataclass(frozen=True, slots=True)
class Declared:
    """As much of an action as guards look at."""

    reversible: bool = True
    reach: str = "workload"
    needs: frozenset[str] = NONE
    needs_if_inferred: frozenset[str] = NONE


ACTIONS = cast(
    "Mapping[str, Responder]",
    {
        "plain": Declared(),
        "final": Declared(reversible=False),
        "shared": Declared(reach="shared"),
        "needy": Declared(needs=frozenset({"logs", "attack"})),
        "guessing": Declared(needs_if_inferred=frozenset({"related"})),
    },
)


def step(action: str, *otherwise: Step, accept: bool = False) -> Step:
    return Step(action, None, otherwise, accept_irreversible=accept)


def change(target: Target, value: str | None) -> Change:
    settings: Mapping[str, Any] = {} if value is None else {"service.ingress": value}
    return Change(target, "service", {}, MappingProxyType(settings), {}, ("plain",))


WRITES = Plan((change(TARGET, "none"),), ())


def case(rule: Rule = "named") -> EditContext:
    reason = f"by rule {rule}"
    none = rule == "unplaced"
    found = NONE if none else frozenset({"r-1"})
    return EditContext(TARGET, Suspicion(rule, found, reason, unplaced=reason if none else ""), (), None, NONE)


def workload(updated_ns: int = 0, **labels: str) -> Workload:
    return Workload(TARGET, {}, {}, (), None, {}, {}, settled=True, updated_ns=updated_ns, labels=labels)


OWN_SEEN = Seen(TARGET, workload(), case(), Standing(TARGET.key))


def seen(**changes: Any) -> tuple[Seen, ...]:
    """The finding's own target alone, as it was read."""
    return (replace(OWN_SEEN, **changes),)


def situation(**changes: Any) -> GuardInput:
    """One in which nothing is wrong."""
    fine = GuardInput(
        finding=FINDING,
        trust="confirmed",
        trust_reason="",
        ceilings=(Ceiling(Mode.ENFORCE, "enforced"),),
        config=Config(sources=frozenset({FINDING.name.source})),
        own=(),
        now_ns=EVENT,
        age_ns=0,
        seen=seen(),
        related_known=True,
        steps=(step("plain"),),
        incident="fb-1",
    )
    return replace(fine, **changes)


def said(plan: Plan | None = WRITES, **changes: Any) -> list[tuple[str, str, str]]:
    return [(cap.name, cap.kind, cap.reason) for cap in caps_for(situation(**changes), plan, ACTIONS)]


def keys_of(plan: Plan | None = WRITES, **changes: Any) -> set[str]:
    return {cap.key for cap in caps_for(situation(**changes), plan, ACTIONS)}


def caution(name: str, reason: str) -> list[tuple[str, str, str]]:
    return [(name, "caution", reason)]


def bar(name: str, reason: str) -> list[tuple[str, str, str]]:
    return [(name, "bar", reason)]
