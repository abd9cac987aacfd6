"""What an edit may look at beside the settings: suspects, revisions, what LATEST means, what the API refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firebreak.core.actions.suspects import Suspicion, images_of
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
    """What an edit of one target may look at beside the settings.

    Attributes:
        target: the workload whose settings are edited.
        suspicion: the revisions that this incident suspects, and the rule that found them.
        revisions: every revision of the workload; of a job, its executions.
        latest: short name of the revision that LATEST means; None where it is not known.
        reachable: short names of the revisions that get requests or instances now.
        unsupported: `key=value` settings that the API has refused.
        unread: surface to the reason why its settings could not be read.
        held: suspects of other incidents on this target: no edit may lead to them, but this incident does not hold
            them.
        disputed: revision to what other incidents, which may hold nothing here, have against it: nothing is turned to
            it without a person.
        accounts: service accounts whose settings are drafted beside the target's own.
        uids: key of a target to the uid that was read of it.
    """

    target: Target
    suspicion: Suspicion
    revisions: tuple[Revision, ...]
    latest: str | None
    reachable: frozenset[str]
    unsupported: frozenset[str] = frozenset()
    unread: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    disputed: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[Target, ...] = ()
    uids: Mapping[str, str] = field(default_factory=dict)

    @property
    def suspects(self) -> frozenset[str]:
        """Short names of the suspect revisions, this incident's and all others'; none where nothing can be placed."""
        return self.own_suspects if self.suspicion.rule in _NOBODY else self.own_suspects | self.held

    @property
    def own_suspects(self) -> frozenset[str]:
        """Those that this incident suspects itself."""
        return self.suspicion.revisions

    @property
    def images(self) -> frozenset[str]:
        """The images by which this incident's suspects are known."""
        return images_of(self.own_suspects, self.revisions, self.suspicion.images)

    def with_suspects(self, suspects: frozenset[str]) -> EditContext:
        """The same case with more suspects of its own: who was one when the decision fell stays one."""
        if suspects <= self.own_suspects:
            return self
        rule = "named" if self.suspicion.rule in _NOBODY else self.suspicion.rule
        return replace(self, suspicion=replace(self.suspicion, rule=rule, revisions=self.own_suspects | suspects))


def edit_context(
    target: Target, suspicion: Suspicion, workload: Workload, unsupported: frozenset[str] = frozenset()
) -> EditContext:
    """What an edit may look at, taken from one reading of the workload.

    `unsupported` are `key=value` settings that the API has refused before. Ingress `none` counts as refused for a
    multi-region service, where nothing says that it is taken.
    """
    if workload.regions or target.location == "global":
        unsupported |= {f"{INGRESS}=none"}
    return EditContext(
        target,
        suspicion,
        workload.revisions,
        workload.latest,
        workload.reachable,
        unsupported,
        workload.unread,
        uids={target.key: workload.uid},
    )


def basis_of(case: EditContext, target: Target, after: State, surface: str) -> Mapping[str, Any]:
    """What a draft rests on and the settings do not show; JSON values, compared for equality before the write.

    Where revisions are is the basis of changes to them alone: the write before must not unsettle the next one. A
    service account's one setting is all there is to it: who runs as it is asked when the plan is drawn.
    """
    uid = {"uid": case.uids.get(target.key, "")}
    if surface == IDENTITY:
        return uid
    suspects = sorted(case.suspects)
    if surface == _RUNS:
        return {**uid, "suspects": suspects, "references": sorted(case.suspects & running(after))}
    if surface not in _PLACES_REVISIONS:
        return {**uid, "suspects": suspects}
    kept = split_of(after)
    ready = {one.name: sorted(one.digests) for one in case.revisions if one.name in kept and not one.fault}
    return {
        **uid,
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
