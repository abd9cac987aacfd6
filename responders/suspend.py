"""Stop every instance: manual scaling to none, and no tag that could still start one."""

from __future__ import annotations

from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.scaling import SUSPENDED
from firebreak.core.cloud_run.setting_names import AUTOMATIC, POOL_INSTANCES, SCALING, TAG
from firebreak.core.cloud_run.state import State

_BY_ITSELF = (
    "Cloud Run decides how many instances the pool has, and Firebreak can neither turn that off so that it is seen, nor"
    " back on as it was: turn it off by hand (gcloud beta run worker-pools update POOL --scaling=0)"
)


class Suspend(Responder):
    """Nothing serves until it is released. A revision with only a tag would still start, so tags go too."""

    summary = "Stop the workload: no instances at all, and no tags that could start one."
    kinds = frozenset({"service", "worker_pool"})
    surfaces = frozenset({"service", "worker_pool"})
    countermeasure = "D3-PS"
    permissions = frozenset(
        {"run.services.update", "run.workerpools.update", "iam.serviceAccounts.actAs", "run.operations.get"}
    )
    call = (
        "UpdateService, mask scaling, traffic: manual scaling with no instances, tags left out;"
        " UpdateWorkerPool, mask scaling.manual_instance_count: none"
    )
    closes = "everything: no instance is left to answer or to run anything"
    leaves_open = ("what was in the memory and on the disks of its instances is gone with them",)
    undo = "the scaling as it was, both limits named; tags come back; what reads differently afterwards is reported"

    def edit(self, before: State, case: EditContext, params: NoParams) -> State | Refusal:  # noqa: ARG002 - takes none
        """The settings with nothing running; refused where a number would not say how many there are."""
        if before.get(POOL_INSTANCES) == AUTOMATIC:
            return Refusal(_BY_ITSELF)
        stopped: State = {POOL_INSTANCES: 0} if case.target.kind == "worker_pool" else {SCALING: SUSPENDED}
        return {**{key: value for key, value in before.items() if not key.startswith(TAG)}, **stopped}


action = Suspend()
