"""The one place that calls an action's own code: what fails there is that step's refusal, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.core.actions.action import Refusal, Responder
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.state import State
from firebreak.core.code_location import kind_and_place


def run_edit(action: Responder, before: State, case: EditContext, params: Any) -> State | Refusal:  # noqa: ANN401 - each action's own
    """The settings as the action would have them; whatever it raises, or gives in place of settings, is a refusal."""
    try:
        after: object = action.edit(before, case, params)
    except Exception as fault:  # noqa: BLE001 - one action's bug must keep neither the others nor start-up from working
        return Refusal(f"its own code failed ({kind_and_place(fault)})", "fault")
    if isinstance(after, Mapping | Refusal):
        return after
    return Refusal(f"its own code gave {type(after).__name__} in place of settings", "fault")
