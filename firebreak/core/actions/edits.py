"""The one place that calls an action's own code: an error there refuses that step and leaves the others alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.state import State
from firebreak.core.code_location import kind_and_place


def run_edit(action: Responder, before: State, case: EditContext, params: Any) -> State | Refusal:  # noqa: ANN401 - each action's own
    """The settings after the action's edit; whatever it raises, or returns instead of settings, becomes a Refusal."""
    try:
        after: object = action.edit(before, case, params)
    except Exception as fault:  # noqa: BLE001 - one action's bug must keep neither the others nor start-up from working
        return Refusal(f"its own code failed ({kind_and_place(fault)})", "fault")
    if isinstance(after, Mapping | Refusal):
        return after
    return Refusal(f"its own code returned {type(after).__name__} instead of settings", "fault")
