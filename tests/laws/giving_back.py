"""The settings of a target once a release has written all that is due."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.state import State
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Settings, Standing, merge_settings
from firebreak.core.containment.restoration import released_keys
from firebreak.core.incidents.release import ReleasedKey


@dataclass(frozen=True)
class GivenBack:
    """What is in force then, and what became of each key."""

    state: State
    keys: tuple[ReleasedKey, ...]

    def ended(self, *results: str) -> frozenset[str]:
        """The keys that ended in one of these ways."""
        return frozenset(one.key for one in self.keys if one.result in results)

    @property
    def written(self) -> Settings:
        """What the release writes."""
        return {one.key: one.after for one in self.keys if one.result == "due"}

    @property
    def over(self) -> Settings:
        """All that it ends with, as it is in force then: the hold lets go of it."""
        return {one.key: self.state.get(one.key) for one in self.keys}


def given_back(now: State, standing: Standing, wanted: State, case: EditContext) -> GivenBack:
    """The release of settings that nobody changes meanwhile, in a world where every write is taken."""
    workload = Workload(case.target, now, {}, case.revisions, case.latest, {}, {}, settled=True)
    keys = released_keys(standing, wanted, workload)
    return GivenBack(merge_settings(now, {one.key: one.after for one in keys if one.result == "due"}), keys)
