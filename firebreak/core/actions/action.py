"""What a containment action is: a pure edit of settings, and the declarations that everything else follows from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.words import RefusalKind
from firebreak.core.cloud_run.state import State


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an edit cannot be drawn here; the step's `otherwise` follows where it `cannot` be, and only there."""

    reason: str
    kind: RefusalKind = "cannot"


@dataclass(frozen=True, slots=True)
class NoParams:
    """For actions that take none."""


class Responder(Protocol):
    """One containment action. Its module's name in `responders/` is its name in policies.

    `kinds` are the target kinds it can act on (`service`, `worker_pool`, `job`); `permissions` are what its surfaces'
    writes need beyond reading. `needs` names the sources without which a person is asked;
    `needs_if_inferred` those that are needed when no finding and no digest says which revision is suspect.
    `call` is what is sent to Google, `closes` what that shuts, `undo` the way back; `leaves_open` are sentences that
    are true after every use and stand on the record.
    """

    name: str
    summary: str
    kinds: frozenset[str]
    surfaces: frozenset[str]
    countermeasure: str
    reversible: bool
    reach: Literal["workload", "shared"]
    needs: frozenset[str]
    needs_if_inferred: frozenset[str]
    permissions: frozenset[str]
    call: str
    closes: str
    leaves_open: tuple[str, ...]
    undo: str
    example: str
    params: type[Any]

    def edit(self, before: State, case: EditContext, params: Any) -> State | Refusal:  # noqa: ANN401 - each action has its own
        """The settings as they should be. Pure; applied to its own result it changes nothing."""
        ...


Actions = Mapping[str, Responder]
"""Every action by its name in policies."""
