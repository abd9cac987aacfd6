"""Let nobody start a job: remove every grant on the job itself that may allow running it."""

from __future__ import annotations

from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.iam_grants import grants_of, may_reach
from firebreak.core.cloud_run.state import State

_SURFACE = "job_iam"


class BlockRuns(Responder):
    """There is no switch that disables a job; IAM alone says who may run it. The job itself is never updated."""

    summary = "Take every member out of the job's own roles that can run it."
    kinds = frozenset({"job"})
    surfaces = frozenset({"job_iam"})
    countermeasure = "D3-APA"
    permissions = frozenset({"run.jobs.getIamPolicy", "run.jobs.setIamPolicy"})
    call = "SetIamPolicy (version 3, etag) on the job's own policy"
    closes = "new runs by whoever was granted them on the job itself, schedulers' and workflows' identities too"
    leaves_open = ("a change of IAM takes minutes to reach every server: typically 2, at times 7 or more",)
    undo = "the same members in the same bindings, conditions too"

    def edit(self, before: State, case: EditContext, params: NoParams) -> State | Refusal:  # noqa: ARG002 - takes none
        """The settings without anybody who may run the job."""
        able = {key for key, grant in grants_of(before, _SURFACE) if may_reach(grant.role)}
        return {key: value for key, value in before.items() if key not in able}


action = BlockRuns()
