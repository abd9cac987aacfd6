"""What earlier drills left, found by name and label: those that were killed, and had no time to take it away."""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.cli.commands import UsageError
from firebreak.cli.commands.recorded import ALL
from firebreak.cli.drill.cleaning import Cleaning, declines_itself
from firebreak.cli.drill.stage import Stage, now_ns
from firebreak.core.cloud_run.target import Target
from firebreak.core.containment.canary import PREFIX
from firebreak.core.errors import Unsupported
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import ENDED
from firebreak.core.timestamps import NANOS
from firebreak.ports.deadline import Deadline

_SECONDS = 60.0
_EVERYWHERE = "-"


@dataclass(frozen=True, slots=True)
class Remains:
    """Canaries with when they were made, findings that are active, and incidents that are open."""

    canaries: tuple[tuple[Target, int], ...]
    findings: tuple[str, ...]
    incidents: tuple[Incident, ...]

    @classmethod
    def of(cls, stage: Stage, region: str | None) -> Remains:
        """Look for all of it; raises UsageError where Cloud Run wants a region, Refused or Transient."""
        project, deadline = stage.target.project, Deadline.after(_SECONDS)
        try:
            canaries = tuple(stage.canaries.found(project, region or _EVERYWHERE, deadline))
        except Unsupported:
            if region:
                raise
            message = "Cloud Run does not list all regions at once here: give the --region of the drill"
            raise UsageError(message) from None
        return cls(canaries, tuple(stage.findings.active(project, deadline)), _open(stage))

    def lines(self) -> list[str]:
        """One for each."""
        now = now_ns()
        return [
            *(f"service {one.resource}, {(now - made) // (60 * NANOS)} minutes old" for one, made in self.canaries),
            *(f"finding {one}" for one in self.findings),
            *(f"incident {one.id}, {one.phase}" for one in self.incidents),
        ]

    def take_away(self, stage: Stage) -> None:
        """What stands is given back while it is there; the services go last.

        An incident may have come about meanwhile; of a finding that is INACTIVE none does.
        """
        cleaning = Cleaning(stage)
        for finding in self.findings:
            cleaning.end_finding(finding)
        cleaning.settle(lambda: _open(stage))
        for target, _ in self.canaries:
            cleaning.delete(target)


def _open(stage: Stage) -> tuple[Incident, ...]:
    """The incidents of drills in the project that have not ended; raises Transient."""
    last = (one for one in stage.last(ALL) if one.phase not in ENDED)
    return tuple(one for one in last if _is_of_a_drill(one, stage.target.project))


def _is_of_a_drill(incident: Incident, project: str) -> bool:
    target = incident.finding.target
    ours = isinstance(target, Target) and target.name.startswith(PREFIX) and project in target.project_spellings
    return ours and not declines_itself(incident)
