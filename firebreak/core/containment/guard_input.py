"""All that guards look at, as it is when they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.findings.finding import Finding
from firebreak.core.mode import Ceiling
from firebreak.core.policy.policy import Config, Step

Trust = Literal["confirmed", "missing", "older", "differs", "unreachable"]


@dataclass(frozen=True, slots=True)
class AdditionalTarget:
    """A target beside the finding's own that is drawn for: its service in another region, or a service account."""

    target: Target
    case: EditContext
    standing: Standing
    workload: Workload | None = None


@dataclass(frozen=True, slots=True)
class GuardInput:
    """All that guards look at. None and "unreachable" mean not known, and an unknown never passes.

    `incident` is the id of the incident whose own first event this is, empty for a further event of it.
    `unread_regions` says of other regions of the service why they could not be read, `users` of each service account
    that would be disabled who else runs as it.
    """

    finding: Finding
    target: Target
    trust: Trust
    trust_reason: str
    ceilings: tuple[Ceiling, ...]
    config: Config
    own: tuple[str, ...]
    claimed_ns: int
    workload: Workload | None
    case: EditContext | None
    related_known: bool
    steps: tuple[Step, ...]
    standing: Standing | None
    incident: str = ""
    standing_fault: str | None = None
    gaps: tuple[str, ...] = ()
    further: tuple[AdditionalTarget, ...] = ()
    unread_regions: tuple[str, ...] = ()
    users: Mapping[str, Users] = field(default_factory=dict)
