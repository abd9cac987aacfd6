"""All that guards look at, as it is when they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from firebreak.core.cloud_run.account_usage import Users
from firebreak.core.containment.canary import Canary
from firebreak.core.containment.observation import Seen
from firebreak.core.findings.finding import Finding
from firebreak.core.mode import Ceiling
from firebreak.core.policy.policy import Config, Step

Trust = Literal["confirmed", "missing", "older", "elsewhere", "differs", "unreachable"]


@dataclass(frozen=True, slots=True)
class GuardInput:
    """All that guards look at. None and "unreachable" mean unknown, and no guard lets an unknown pass.

    Attributes:
        finding: the finding as SCC holds it; as the message tells it where SCC could not be asked.
        trust: how SCC's word compares with what the message told.
        trust_reason: why it is not confirmed, as a sentence.
        ceilings: every maximum mode in force, with its origin.
        config: firebreak.yaml.
        own: full resource names of Firebreak's own services.
        now_ns: nanoseconds since 1970.
        age_ns: how old the newest event was when Firebreak first saw it, or is now where it is decided anew.
        seen: the finding's own target, then its service in other regions and the accounts that suspects run as.
        related_known: whether the other findings on this workload were read.
        steps: the steps of the policy that matched.
        incident: id of the incident.
        contained_before: whether an earlier plan of the incident was carried out and stands.
        gaps: names of the sources that gave no answer.
        unread_regions: why the service could not be read in other regions, one sentence for each.
        users: service account that would be disabled to the workloads that also run as it.
        away: what could not be reached for so long that it is not waited for any more.
        uids: key of a target to the uid that the resource had which the incident is about, where that is known.
        unvouched: refuges of which it is not known whether SCC holds a threat on them.
        canary: what the ledger has, under its seal, of a drill's canary with the uid of the finding's own target.
        drift: what others have changed and what is open again, as a sentence; empty if nothing is.
    """

    finding: Finding
    trust: Trust
    trust_reason: str
    ceilings: tuple[Ceiling, ...]
    config: Config
    own: tuple[str, ...]
    now_ns: int
    age_ns: int
    seen: tuple[Seen, ...]
    related_known: bool
    steps: tuple[Step, ...]
    incident: str = ""
    contained_before: bool = False
    gaps: tuple[str, ...] = ()
    unread_regions: tuple[str, ...] = ()
    users: Mapping[str, Users] = field(default_factory=dict)
    away: tuple[str, ...] = ()
    uids: Mapping[str, str] = field(default_factory=dict)
    unvouched: tuple[str, ...] = ()
    canary: Canary | None = None
    drift: str = ""
