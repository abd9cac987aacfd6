"""The canary of a drill: a service that was made to be contained, and the only thing that the drill's source may reach.

A canary is known by its uid. It is one for the first hour of its life, so that nothing has to be taken back: what was
announced once and is put back, or announced again, is of no use after that hour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from firebreak.core.cloud_run.setting_names import INVOKER_CHECK_OFF
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.observation import Seen
from firebreak.core.containment.plan import Plan
from firebreak.core.policy.policy import Drill
from firebreak.core.storage_names import Stored
from firebreak.core.timestamps import NANOS

PREFIX = "firebreak-drill-"
LABEL = "firebreak-drill"
CANARY = "canary"
"""The value of the label."""
LIFE_NS = 3600 * NANOS
_CLOCKS_APART_NS = 600 * NANOS
_NAME = re.compile(rf"{PREFIX}[a-z0-9]{{4,12}}")


@dataclass(frozen=True, slots=True)
class Canary(Stored):
    """A service that Firebreak looked at and found to be a drill's canary.

    Attributes:
        uid: the service's own identity at Google.
        target: the service.
        source: SCC source whose findings may have it contained.
        by: who announced it, as claimed.
        expires_ns: when it is a canary no longer, nanoseconds since 1970.
    """

    uid: str
    target: Target
    source: str
    by: str
    expires_ns: int


def why_no_canary(workload: Workload, uid: str, drill: Drill, now_ns: int) -> str:
    """Why a service is not what a drill deploys, as a sentence; empty if it is."""
    target, age_ns = workload.target, now_ns - workload.created_ns
    named = target.kind == "service" and _NAME.fullmatch(target.name) and workload.labels.get(LABEL) == CANARY
    listed = target.project_spellings & drill.projects
    closed = workload.invokers is not None and not workload.invokers and not workload.state.get(INVOKER_CHECK_OFF)
    required = {
        f"it does not have both the name and the label of one ({PREFIX}…, {LABEL}={CANARY})": named,
        f"firebreak.yaml does not list {target.project} among the projects of drills": listed,
        "it is another service than the one that was announced: its uid differs": workload.uid and workload.uid == uid,
        "it was not made within the last hour": -_CLOCKS_APART_NS <= age_ns < LIFE_NS,
        "it runs in several regions": not workload.regions and target.location != "global",
        "others than its owners may call it, or that cannot be read": closed,
    }
    return next((why for why, met in required.items() if not met), "")


def beyond_the_canary(
    canary: Canary | None, drill: Drill, seen: tuple[Seen, ...], plan: Plan | None, now_ns: int
) -> str:
    """Why a plan of the drill's source would reach more than its canary, as a sentence; empty if it would not.

    `seen` are the finding's own target and all others that the plan could touch: of a drill there are none.
    """
    own = seen[0] if seen else None
    if own is None or canary is None or not own.uid or canary.uid != own.uid or canary.source != drill.source:
        return "this is not the canary of a drill that was announced"
    if now_ns >= canary.expires_ns:
        return "this canary was made more than an hour ago"
    if not own.target.project_spellings & drill.projects:
        return f"firebreak.yaml does not list {own.target.project} among the projects of drills"
    changed = (one.target for one in (*plan.changes, *plan.fallback)) if plan else ()
    others = {one.place for one in (*(other.target for other in seen), *changed) if one.key != own.target.key}
    return f"the plan could reach more than its canary: {', '.join(sorted(others))}" if others else ""
