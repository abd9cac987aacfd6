"""What a containment action is: a pure edit of settings, and the declarations that everything else follows from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from firebreak.core.actions.case import EditContext
from firebreak.core.actions.words import RefusalKind
from firebreak.core.cloud_run.state import State


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an edit cannot be made here. The step's `otherwise` follows only if `kind` is `cannot`."""

    reason: str
    kind: RefusalKind = "cannot"


@dataclass(frozen=True, slots=True)
class NoParams:
    """For actions that take none."""


class Responder(Protocol):
    """One containment action; an action is written as `class MyAction(Responder)`.

    The name of its module in `responders/` is its name in policies. What has no default below has to be declared;
    what has one is declared only where it differs. `tests/laws/` hold an action to what it declares, and to the
    defaults too.

    `kinds` are the kinds of target it can act on (`service`, `worker_pool`, `job`, `service_account`). `surfaces` are
    the first words of the settings it edits. `permissions` are what writing these needs beyond reading.
    `countermeasure` is a technique of MITRE D3FEND. `call` is what is sent to Google, `closes` what that shuts, `undo`
    the way back.

    `reversible` is false where a release cannot put the settings back; a policy must then say `accept_irreversible`.
    `reach` is `shared` where others than the workload are touched; a person is then always asked.
    `needs` names the sources without whose answer a person is asked; `needs_if_inferred` those that are needed as well
    when no finding and no digest says which revision is suspect.
    `leaves_open` are sentences that are true after every use and stand on the record. `params` is the frozen dataclass
    of its parameters.
    """

    summary: str
    kinds: frozenset[str]
    surfaces: frozenset[str]
    countermeasure: str
    permissions: frozenset[str]
    call: str
    closes: str
    undo: str
    reversible: bool = True
    reach: Literal["workload", "shared"] = "workload"
    needs: frozenset[str] = frozenset({"workload"})
    needs_if_inferred: frozenset[str] = frozenset()
    leaves_open: tuple[str, ...] = ()
    params: type[Any] = NoParams

    @property
    def example(self) -> str:
        """A step of a policy, to paste; an action with parameters shows one of them."""
        return f"{{action: {type(self).__module__.rpartition('.')[2]}}}"

    @abstractmethod
    def edit(self, before: State, case: EditContext, params: Any) -> State | Refusal:  # noqa: ANN401 - each action has its own
        """The settings as they should be. Pure; applied to its own result it changes nothing."""


Actions = Mapping[str, Responder]
"""Every action by its name in policies."""
