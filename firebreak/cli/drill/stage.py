"""Where a drill plays: the place of its canary, the clients, the ledger that is followed, and who tells of it."""

from __future__ import annotations

import argparse
import re
import secrets
import time
from dataclasses import dataclass, replace

from firebreak.adapters.cloud_run.canaries import Canaries
from firebreak.adapters.cloud_run.services import CloudRunServices
from firebreak.adapters.google.drill_findings import DrillFindings
from firebreak.adapters.google.security_center import SecurityCenter
from firebreak.adapters.storage.ledger_store import documents_to_read
from firebreak.cli.commands import UsageError
from firebreak.cli.commands.decision import carried_out, command_of
from firebreak.cli.commands.ledgers import to_decide, who
from firebreak.cli.commands.recorded import open_ledger
from firebreak.cli.drill.arguments import REGION
from firebreak.cli.screens.story import Narrator
from firebreak.core.cloud_run.target import RUN_HOST, Target
from firebreak.core.containment.canary import PREFIX
from firebreak.core.errors import Transient
from firebreak.core.findings.finding import FindingName
from firebreak.core.incidents.command import CommandResult
from firebreak.core.incidents.incident import Incident
from firebreak.core.policy.policy import Config
from firebreak.ledger.ledger import Ledger
from firebreak.policy_folder import read_folder, read_yaml_policies
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline
from firebreak.settings import Settings

_SOURCE = re.compile(r"(?:organizations/(?P<organization>[0-9]{1,25})/sources/)?(?P<source>[0-9]{1,25})")
_LAST = 20
"""So many incidents are looked through where one is not found by its id."""


@dataclass(slots=True)
class Stage:
    """One drill's place and tools.

    Attributes:
        parsed: what was typed.
        narrator: tells of it, to people or to programs.
        target: the canary, which need not be there yet.
        image: the image of the canary.
        account: service account that it runs as; empty for the project's default.
        finding_id: of the finding that is written about it.
        canaries: deploys and deletes them.
        findings: writes and ends findings in the drill's source.
        settings: where the ledger is, which is only read.
    """

    parsed: argparse.Namespace
    narrator: Narrator
    target: Target
    image: str
    account: str
    finding_id: str
    canaries: Canaries
    findings: DrillFindings
    settings: Settings
    _ledger: Ledger | None = None

    @classmethod
    def of(cls, parsed: argparse.Namespace, narrator: Narrator) -> Stage:
        """All of it, nothing of which is connected yet; raises UsageError."""
        settings = to_decide(parsed)
        target = Target(
            parsed.project,
            parsed.region or REGION,
            "service",
            f"{PREFIX}{secrets.token_hex(2)}",
            project_id=parsed.project,
        )
        name = _source(parsed, settings)
        scc = SecurityCenter(settings.emulators.get("SECURITY_CENTER_EMULATOR_HOST"), settings.locations)
        return cls(
            parsed,
            narrator,
            target,
            parsed.image,
            parsed.service_account or "",
            secrets.token_hex(16),
            Canaries(CloudRunServices(settings.emulators.get("CLOUD_RUN_EMULATOR_HOST"))),
            DrillFindings(scc, replace(name, location=settings.locations[0])),
            settings,
        )

    def say(self, verb: str, incident: str = "", digest: str = "", canary: str = "", uid: str = "") -> CommandResult:
        """Give an order as a commander does, over the commands topic or on a local ledger; raises Transient."""
        order = replace(command_of(verb, who(self.parsed), incident, digest=digest), canary=canary, uid=uid)
        return carried_out(self.parsed, f"{verb} {incident}".strip(), order).result

    def say_until_heard(self, verb: str, incident: str, deadline: Deadline, digest: str = "") -> CommandResult:
        """The same again while somebody else works on the incident; raises Transient at the deadline."""
        backoff = Backoff(deadline, longest=4.0)
        while True:
            try:
                return self.say(verb, incident, digest)
            except Transient:
                if not backoff.wait():
                    raise

    def announce(self, uid: str) -> CommandResult:
        """Tell Firebreak which service is the canary; it looks for itself."""
        return self.say("drill", canary=f"{RUN_HOST}{self.target.resource}", uid=uid)

    def incident(self, identity: str) -> Incident | None:
        """The incident of the drill's finding: by its id, else by the finding, whose time SCC may tell otherwise."""
        found = self.recorded(identity) if identity else None
        if found is not None:
            return found
        return next((one for one in self.last(_LAST) if one.finding.name.finding == self.finding_id), None)

    def recorded(self, identity: str) -> Incident | None:
        """The incident of that id as it is recorded, if it is a drill's; raises Transient."""
        held = ledger.read(identity) if (ledger := self._recording()) else None
        return held.incident if held and self._is_a_drill_s(held.incident) else None

    def last(self, most: int) -> list[Incident]:
        """Those of drills among the incidents that were touched last; raises Transient."""
        found = ledger.newest(most) if (ledger := self._recording()) else ()
        return [one.incident for one in found if self._is_a_drill_s(one.incident)]

    def _is_a_drill_s(self, incident: Incident) -> bool:
        """Whether its id is that of an event in the drill's source: no record can make another one's so.

        All else that it says may be written by whoever writes the ledger, for its seal is not verified here.
        """
        told, events = incident.finding, (one.event_ns for one in incident.events)
        ids = {replace(told, event_ns=at_ns).incident_id for at_ns in (told.event_ns, *events)}
        return told.name.source == self.findings.name.source and incident.id in ids

    def _recording(self) -> Ledger | None:
        """The ledger, once it is there: a local one is made by the function as it answers for the first time."""
        if self._ledger is None and documents_to_read(self.settings) is not None:
            self._ledger = open_ledger(self.settings)
        return self._ledger


def now_ns() -> int:
    """By this machine's clock, nanoseconds since 1970."""
    return time.time_ns()


def _source(parsed: argparse.Namespace, settings: Settings) -> FindingName:
    """The drill's source as it was typed, else as firebreak.yaml names it; raises UsageError, or Faults."""
    config = read_yaml_policies(read_folder(settings.policies)).config if settings.policies.is_dir() else Config()
    given = _SOURCE.fullmatch(parsed.source or (config.drill.source if config.drill else ""))
    if given is None:
        message = (
            f"which SCC source is the drill's? {settings.policies / 'firebreak.yaml'} names none as `drill`: set"
            " FIREBREAK_POLICIES to your own policies, or give --source organizations/ORGANIZATION/sources/SOURCE;"
            " docs/drill.md says how to make one"
        )
        raise UsageError(message)
    organization = given["organization"] or config.organization
    if organization is None:
        message = "of which organization? Give --source as organizations/ORGANIZATION/sources/SOURCE"
        raise UsageError(message)
    return FindingName(f"organizations/{organization}", given["source"], "global", "-")
