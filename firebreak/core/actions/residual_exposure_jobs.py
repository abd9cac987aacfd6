"""Residual exposure of workloads that take no requests: worker pools and jobs."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.iam_grants import grants_of
from firebreak.core.cloud_run.setting_names import POOL_INSTANCES
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.first_few import first_few

_MOST = 5


def of_pool(workload: Workload, case: EditContext) -> Iterator[str]:
    """Suspects that still get instances, and those that may not be gone yet."""
    if workload.state.get(POOL_INSTANCES) != 0:
        for name in sorted(case.suspects):
            if percent := workload.effective.get(name, 0):
                yield f"suspect {name} still gets {percent} % of the instances"
        yield "the pool still runs; if malware was added at run time, every revision has the same hole"
    for name in sorted(case.suspects):
        if workload.revision(name):
            yield f"Cloud Run does not report when the last instance of {name} stops: it may run for a while"


def of_job(workload: Workload, case: EditContext) -> Iterator[str]:
    """Suspect executions that still run, and who may start another."""
    for name in sorted(case.suspects & workload.reachable):
        yield f"suspect {name} still runs"
    if "job_iam" in workload.unread:
        yield f"who may run the job is not known: its IAM policy could not be read: {workload.unread['job_iam']}"
    holders = sorted({grant.member for _, grant in grants_of(workload.state, "job_iam")})
    if holders:
        yield f"the job can be run again by {', '.join(first_few(holders, _MOST))}"
    yield "grants on the project, a folder or the organization are not read: whoever has one can still run it"
