"""Stop the suspect runs of a job. A run that was cancelled does not resume."""

from __future__ import annotations

from firebreak.core.actions.action import NoParams, Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.setting_names import CANCELLED, EXECUTION, running
from firebreak.core.cloud_run.state import State


class CancelExecutions(Responder):
    """Only suspect executions are cancelled: the finding's own, those with its image, or all from before the event."""

    summary = "Cancel the suspect executions of a job that still run."
    kinds = frozenset({"job"})
    surfaces = frozenset({"executions"})
    countermeasure = "D3-PT"
    reversible = False
    needs_if_inferred = frozenset({"related"})
    permissions = frozenset({"run.executions.cancel", "run.operations.get"})
    call = "CancelExecution on each suspect execution that runs"
    closes = "the suspect runs: their tasks are stopped"
    leaves_open = ("what a cancelled run has already written or sent stays as it is",)
    undo = "none: a cancelled run does not resume; run the job again"
    example = "{action: cancel_executions, accept_irreversible: true}"

    def edit(self, before: State, case: EditContext, params: NoParams) -> State | Refusal:  # noqa: ARG002 - takes none
        """The settings with the suspects' runs cancelled; refused where it is not known which those are."""
        if case.suspicion.rule == "unplaced":
            return Refusal(case.suspicion.reason, "nothing_suspect")
        stopped = {f"{EXECUTION}{name}": CANCELLED for name in case.suspects & running(before)}
        return {**before, **stopped}


action = CancelExecutions()
