"""What was read of every target that a plan may touch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from firebreak.core.actions.action import Actions
from firebreak.core.actions.case import EditContext
from firebreak.core.cloud_run.target import Target
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.containment.active_containment import Standing
from firebreak.core.policy.policy import Step


@dataclass(frozen=True, slots=True)
class Seen:
    """One target as it was read: its settings, what edits look at, and what stands on it.

    Attributes:
        target: the target.
        workload: its settings; None where it could not be read.
        case: what edits look at; None where it could not be read.
        standing: what stands on it; None where its record cannot be believed.
        fault: why one of these is None, as a sentence.
        gone: whether it does not exist.
        away: whether it may answer the next time.
    """

    target: Target
    workload: Workload | None
    case: EditContext | None
    standing: Standing | None
    fault: str = ""
    gone: bool = False
    away: bool = False

    @property
    def uid(self) -> str:
        """The resource's own identity; empty where it is not known."""
        return self.workload.uid if self.workload else ""


@dataclass(frozen=True, slots=True)
class Around:
    """Every target that a plan may touch, the finding's own first, and why other regions could not be read.

    `gone` is what the API said where the finding's own does not exist. `unvouched` are refuges of which it is not known
    whether SCC holds a threat on them.
    """

    seen: tuple[Seen, ...]
    unread_regions: tuple[str, ...] = ()
    gone: str = ""
    unvouched: tuple[str, ...] = ()

    @property
    def own(self) -> Seen:
        """The finding's own target."""
        return self.seen[0]

    def seen_of(self, target: Target) -> Seen | None:
        """What was read of this target."""
        return next((one for one in self.seen if one.target.key == target.key), None)

    @property
    def accounts(self) -> tuple[Target, ...]:
        """The service accounts that suspects run as."""
        return tuple(one.target for one in self.seen if one.target.kind == "service_account")

    @property
    def regions(self) -> tuple[Seen, ...]:
        """The service in its other regions."""
        return tuple(one for one in self.seen[1:] if one.target.kind != "service_account")

    def unreferred(self, incident: str) -> str:
        """The suspects, where nothing leads to any of them anywhere: closing anything would be about nothing.

        Empty where something stands there that this incident would join.
        """
        own, standing = self.own, self.own.standing and self.own.standing.of_resource(self.own.uid)
        if own.workload is None or own.case is None or own.target.kind not in ("service", "worker_pool"):
            return ""
        if standing is None or standing.held_by_others(incident):
            return ""
        # A write of its own that is there, though nobody has looked at it yet, stands as well.
        written = any(own.workload.state.get(key) == value for key, value in standing.pending.items())
        joins = standing.holds and (written or not standing.pending)
        if joins or any(one.case and one.case.own_suspects for one in self.regions):
            return ""
        suspects = own.case.own_suspects
        return "" if not suspects or suspects & own.workload.reachable else ", ".join(sorted(suspects))

    @property
    def suspects(self) -> dict[str, tuple[str, ...]]:
        """Key of each target to the suspects there."""
        return {
            one.target.key: tuple(sorted(one.case.own_suspects))
            for one in self.seen
            if one.case is not None and one.case.own_suspects
        }


def accounts_of(workload: Workload, case: EditContext) -> tuple[Target, ...]:
    """The service accounts that the suspects run as."""
    emails = {
        one.service_account or workload.service_account for one in case.revisions if one.name in case.suspects
    } - {""}
    return tuple(workload.target.account(email) for email in sorted(emails))


def surfaces_of(steps: Iterable[Step], actions: Actions) -> frozenset[str]:
    """Every surface that the steps, or what takes their place, may edit."""
    return frozenset[str]().union(
        *(actions[one.action].surfaces | surfaces_of(one.otherwise, actions) for one in steps)
    )
