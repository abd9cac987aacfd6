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
    """All that guards look at. None and "unreachable" mean unknown, and no guard lets an unknown pass.

    Attributes:
        finding: the finding as the message tells it.
        target: the workload that the finding names.
        trust: how the message compares with the finding that SCC holds.
        trust_reason: why it is not confirmed, as a sentence.
        ceilings: every maximum mode in force, with its origin.
        config: firebreak.yaml.
        own: full resource names of Firebreak's own services.
        claimed_ns: when Firebreak received the event, nanoseconds since 1970.
        workload: the target as it was read; None where it could not be read.
        case: what edits look at; None where the target could not be read.
        related_known: whether the other findings on this workload were read.
        steps: the steps of the policy that matched.
        standing: what is contained on the target; None where that is not known.
        incident: id of the incident whose own first event this is; empty for a further event of an open incident.
        standing_fault: why the record of the containment cannot be used; None if it can.
        gaps: names of the sources that gave no answer.
        further: targets beside the finding's own that the plan covers.
        unread_regions: why the service could not be read in other regions, one sentence for each.
        users: service account that would be disabled to the workloads that also run as it.
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
