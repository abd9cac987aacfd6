"""Whether what serves is what was written, read from the statuses that Cloud Run reports and not from what was asked.

After a failed reconciliation `traffic` holds what was asked for and `traffic_statuses` the last serving state
(run_v2.Service docstring, `reconciling`).
"""

from __future__ import annotations

from collections.abc import Iterable

from firebreak.core.cloud_run.setting_names import POOL_SPLIT, SPLIT, TAG
from firebreak.core.cloud_run.workload import Workload, references


def have_status(changed: Iterable[str]) -> bool:
    """Whether Cloud Run reports for each of these settings if it is in force; true of the split and of tags only."""
    return all(_has_status(key) for key in changed)


def _has_status(key: str) -> bool:
    return key in (SPLIT, POOL_SPLIT) or key.startswith(TAG)


def split_in_force(workload: Workload, changed: Iterable[str]) -> bool:
    """Whether traffic goes where the settings say, by percent and tag.

    `changed` are the keys of the settings that were written; if none of them is about traffic, the answer is true.
    """
    if not any(_has_status(key) for key in changed):
        return True
    wished = references(workload.state, workload.latest)
    percents = {name: use.percent for name, use in wished.items() if use.percent}
    tags = {tag: name for name, use in wished.items() for tag in use.tags}
    effective = {name: percent for name, percent in workload.effective.items() if percent}
    return effective == percents and dict(workload.effective_tags) == tags
