"""Whether what serves is what was written: the statuses that Cloud Run reports, not the wish."""

from __future__ import annotations

from collections.abc import Iterable

from firebreak.core.cloud_run.setting_names import POOL_SPLIT, SPLIT, TAG
from firebreak.core.cloud_run.workload import Workload, references


def told_by_status(changed: Iterable[str]) -> bool:
    """Whether statuses tell of all these settings if they are in effect; of others only the wish can be read."""
    return all(_has_status(key) for key in changed)


def _has_status(key: str) -> bool:
    return key in (SPLIT, POOL_SPLIT) or key.startswith(TAG)


def split_in_force(workload: Workload, changed: Iterable[str]) -> bool:
    """Whether percent and tags go where the settings say; true where the change is not about them."""
    if not any(_has_status(key) for key in changed):
        return True
    wished = references(workload.state, workload.latest)
    percents = {name: use.percent for name, use in wished.items() if use.percent}
    tags = {tag: name for name, use in wished.items() for tag in use.tags}
    effective = {name: percent for name, percent in workload.effective.items() if percent}
    return effective == percents and dict(workload.effective_tags) == tags
