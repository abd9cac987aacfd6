"""What an edit may look at beside the settings: suspects, revisions, what LATEST means, what the API refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firebreak.core.actions.suspects import Suspicion
from firebreak.core.cloud_run.setting_names import IDENTITY, INGRESS, TAG, running
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Revision, Workload, references, split_key, split_of

_PLACES_REVISIONS = frozenset({"service", "worker_pool"})
_RUNS = "executions"
_NOBODY = frozenset({"unplaced", "absent"})
"""Rules that find no suspects."""


@dataclass(frozen=True, slots=True)
class EditContext:
    """The case of one target. `unsupported` holds `key=value` settings that the API has refused.

    `unread` says of surfaces without settings why they could not be read, `held` names the suspects of other incidents
    that stand on the target: no edit may lead to them, but this incident does not hold them. `accounts` are the service
    accounts whose settings are drawn beside the target's own.
    """

    target: Target
    suspicion: Suspicion
    revisions: tuple[Revision, ...]
    latest: str | None
    reachable: frozenset[str]
    unsupported: frozenset[str] = frozenset()
    unread: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    accounts: tuple[Target, ...] = ()

    @property
    def suspects(self) -> frozenset[str]:
        """Short names of the suspect revisions, this incident's and all others'; none where nothing can be placed."""
        return self.own if self.suspicion.rule in _NOBODY else self.own | self.held

    @property
    def own(self) -> frozenset[str]:
        """Those that this incident suspects itself."""
        return self.suspicion.revisions

    def also(self, suspects: frozenset[str]) -> EditContext:
        """The same case with more suspects of its own: who was one when the decision fell stays one."""
        if suspects <= self.own:
            return self
        rule = "named" if self.suspicion.rule in _NOBODY else self.suspicion.rule
        return replace(self, suspicion=replace(self.suspicion, rule=rule, revisions=self.own | suspects))


def edit_context(
    target: Target, suspicion: Suspicion, workload: Workload, unsupported: frozenset[str] = frozenset()
) -> EditContext:
    """The case that a reading of the workload makes.

    Of a service in several regions Cloud Run does not heed validate_only: whether it takes none cannot be asked.
    """
    if workload.regions or target.location == "global":
        unsupported |= {f"{INGRESS}=none"}
    return EditContext(
        target, suspicion, workload.revisions, workload.latest, workload.reachable, unsupported, workload.unread
    )


def basis_of(case: EditContext, after: State, surface: str) -> Mapping[str, Any]:
    """What a draft rests on and the settings do not show; JSON values, compared for equality before the write.

    Where revisions are is the basis of changes to them alone: the write before must not unsettle the next one. A
    service account's one setting is all there is to it: who runs as it is asked when the plan is drawn.
    """
    if surface == IDENTITY:
        return {}
    suspects = sorted(case.suspects)
    if surface == _RUNS:
        return {"suspects": suspects, "references": sorted(case.suspects & running(after))}
    if surface not in _PLACES_REVISIONS:
        return {"suspects": suspects}
    kept = split_of(after)
    ready = {one.name: sorted(one.digests) for one in case.revisions if one.name in kept and not one.fault}
    return {
        "latest": case.latest or "",
        "reachable": sorted(case.reachable),
        "suspects": suspects,
        "references": _leading(after, case),
        "ready": ready,
        "unsupported": sorted(case.unsupported),
    }


def _leading(after: State, case: EditContext) -> dict[str, str]:
    """Every tag, and the split where it gives a share, that leads to a suspect once the change is made."""
    uses = references(after, case.latest)
    led = sorted(case.suspects & uses.keys())
    shares = [name for name in led if uses[name].percent]
    tags = {f"{TAG}{tag}": name for name in led for tag in uses[name].tags}
    split = split_key(after)
    return tags | ({split: ",".join(shares)} if split and shares else {})
