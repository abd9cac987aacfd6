"""What an edit may look at beside the settings: suspects, revisions, what LATEST means, what the API refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.action import State
from core.suspects import Suspicion
from core.target import Target
from core.workload import Revision, Workload, split_of


@dataclass(frozen=True, slots=True)
class Case:
    """The case of one target. `unsupported` holds `key=value` settings that the API has refused."""

    target: Target
    suspicion: Suspicion
    revisions: tuple[Revision, ...]
    latest: str | None
    reachable: frozenset[str]
    unsupported: frozenset[str] = frozenset()

    @property
    def suspects(self) -> frozenset[str]:
        """Short names of the suspect revisions."""
        return self.suspicion.revisions

    def also(self, suspects: frozenset[str]) -> Case:
        """The same case with more suspects: who was one when the decision fell, or is one for another hold."""
        if suspects <= self.suspects:
            return self
        rule = "named" if self.suspicion.rule == "unplaced" else self.suspicion.rule
        return replace(self, suspicion=replace(self.suspicion, rule=rule, revisions=self.suspects | suspects))


def case_of(
    target: Target, suspicion: Suspicion, workload: Workload, unsupported: frozenset[str] = frozenset()
) -> Case:
    """The case that a reading of the workload makes."""
    return Case(target, suspicion, workload.revisions, workload.latest, workload.reachable, unsupported)


def basis_of(case: Case, after: State) -> Mapping[str, Any]:
    """What a draft rests on and the settings do not show; JSON values, compared for equality before the write."""
    kept = split_of(after)
    ready = {one.name: sorted(one.digests) for one in case.revisions if one.name in kept and not one.fault}
    return {
        "latest": case.latest or "",
        "reachable": sorted(case.reachable),
        "suspects": sorted(case.suspects),
        "ready": ready,
        "unsupported": sorted(case.unsupported),
    }
