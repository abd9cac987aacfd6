"""The drill itself: deploy, find, follow, answer, release; and whatever happens, take away what was made."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from firebreak.cli.drill.cleaning import Cleaning
from firebreak.cli.drill.stage import Stage, now_ns
from firebreak.cli.ending import undisturbed
from firebreak.cli.screens.console import working
from firebreak.cli.screens.story import CannotGoOn
from firebreak.core.cloud_run.workload import Workload
from firebreak.core.drills.clocks import clocks_of
from firebreak.core.drills.finding import drill_finding
from firebreak.core.errors import Refused, Transient
from firebreak.core.findings.finding import Finding
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import ENDED
from firebreak.core.secrets.redaction import safe
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline

_DEPLOY_SECONDS = 300.0
_MESSAGE_SECONDS = 600.0
"""SCC delivers within minutes, it says."""
_SWEEP_SECONDS = 120.0
_CONTAIN_SECONDS = 420.0
_HEARD_SECONDS = 60.0
"""The function may still be at work on what it has just saved: on a local ledger it is in the way then."""
_MOST_ANSWERS = 3
_NOT_DELIVERED = (
    "the notification configuration leaves it out (narrow_filter?), or what it publishes does not reach the function: "
    "`firebreak doctor` looks at both"
)
_RESTS = frozenset({"contained", "waiting", "deferred", "failed", *ENDED})


@dataclass(slots=True)
class Rehearsal:
    """One drill on its way: the canary as it was deployed, and the finding, as soon as there is one."""

    stage: Stage
    deployed: Workload | None = None
    finding: Finding | None = None
    refused: bool = False

    def run(self, probe: Callable[[Stage], None] | None = None) -> None:
        """All of it; what interrupts it is raised again once everything is taken away.

        `probe` is asked once everything is given back, and before it is taken away.
        """
        with ExitStack() as made:
            made.callback(self._take_away)
            try:
                before = self._deploy()
                self._rehearse(before)
                if probe is not None:
                    probe(self.stage)
            except CannotGoOn as difference:
                self.stage.narrator.step(f"The drill ends here: {difference}")
            except (Refused, Transient) as fault:
                self.refused = isinstance(fault, Refused)
                self.stage.narrator.check("the drill goes on", safe(str(fault)), "no fault")

    def _deploy(self) -> Workload:
        stage = self.stage
        stage.narrator.step(f"Deploying {stage.target.resource}", f"image {stage.image}, private, two revisions")
        with working("deploying"):
            deployed = stage.canaries.deploy(stage.target, stage.image, stage.account, Deadline.after(_DEPLOY_SECONDS))
        self.deployed = deployed
        names = [one.name for one in deployed.revisions]
        stage.narrator.step("The canary is deployed", f"uid {deployed.uid}", f"revisions {', '.join(names)}")
        stage.narrator.require("it has two revisions", len(names), 2)
        return deployed

    def _rehearse(self, before: Workload) -> None:
        stage = self.stage
        said = stage.announce(before.uid)
        stage.narrator.step("Announced on the commands topic", said.says)
        stage.narrator.require("Firebreak takes it as the canary of a drill", said.done)
        self._write_finding(before)
        incident = self._answered(self._delivered())
        self._tell_decision(incident)
        stage.narrator.require("it is contained", incident.phase, "contained")
        self._tell_clocks(incident)
        self._require_contained(before)
        self._release(incident, before)

    def _write_finding(self, before: Workload) -> None:
        stage = self.stage
        suspect = next(one for one in before.revisions if one.name in before.serving)
        body = drill_finding(stage.target.resource, stage.image, suspect, now_ns())
        self.finding = stage.findings.create(stage.finding_id, body, Deadline.after(30))
        stage.narrator.step("A finding is written", self.finding.name.spellings[0], body["category"])

    def _noticed(self) -> Incident | None:
        """The incident of the finding, also of one that was written and whose answer was lost."""
        return self.stage.incident(self.finding.incident_id if self.finding else "")

    def _delivered(self) -> Incident:
        """The incident once the finding's message came, else once the sweep has found it; raises CannotGoOn."""
        stage = self.stage
        incident = self._within(self._noticed, "waiting for the finding's message", _MESSAGE_SECONDS)
        if stage.narrator.check(f"its message came within {_MESSAGE_SECONDS:.0f} s", incident is not None) and incident:
            return incident
        stage.narrator.step("The sweep is told to look for it", _NOT_DELIVERED, stage.say("sweep").says)
        return self._until(self._noticed, "waiting for the sweep", _SWEEP_SECONDS)

    def _until(self, found: Callable[[], Incident | None], what: str, seconds: float) -> Incident:
        """What there is, as soon as it is there; raises CannotGoOn."""
        incident = self._within(found, what, seconds)
        if incident is None:
            message = f"{what}: nothing within {seconds:.0f} s"
            self.stage.narrator.check(message, found=False)
            raise CannotGoOn(message)
        return incident

    def _within(self, found: Callable[[], Incident | None], what: str, seconds: float) -> Incident | None:
        """What there is, as soon as it is there; None where it does not come to be."""
        backoff = Backoff(Deadline.after(seconds), longest=2.0)
        with working(what):
            while (incident := found()) is None and backoff.wait():
                pass
        return incident

    def _resting(self, known: str = "") -> Incident | None:
        """The incident where it rests; not with the question that was answered already, nor while it waits for SCC."""
        incident = self._noticed()
        if incident is None or incident.phase not in _RESTS:
            return None
        asked = incident.question.digest if incident.question else ""
        answered = incident.phase == "waiting" and asked == known
        waits = incident.phase == "deferred" and incident.waits is not None and incident.waits.what != "halt"
        return None if answered or waits else incident

    def _answered(self, incident: Incident) -> Incident:
        """The incident where it rests, or as it is by then; each question is answered by its digest."""
        stage, digest = self.stage, ""
        stage.narrator.step(f"Incident {incident.id}")
        for _ in range(_MOST_ANSWERS):
            resting = partial(self._resting, digest)
            found = self._within(resting, "following the incident", _CONTAIN_SECONDS)
            incident = found or self._noticed() or incident
            if found is None or incident.phase != "waiting" or incident.question is None:
                return incident
            digest = incident.question.digest
            said = stage.say_until_heard("approve", incident.id, Deadline.after(_HEARD_SECONDS), digest)
            stage.narrator.step(f"It asks a person, and is answered: approve {digest[:12]}", said.says)
        return incident

    def _tell_decision(self, incident: Incident) -> None:
        decision = incident.decision
        lines = [f"{one.who}: {one.what}" for one in incident.history]
        if decision is not None:
            lines = [
                f"mode {decision.mode.word}, policy {decision.policy}",
                *(one.reason for one in decision.caps),
                *lines,
            ]
        self.stage.narrator.step(f"It rests: {incident.phase}", *lines)

    def _tell_clocks(self, incident: Incident) -> None:
        seconds = clocks_of(incident).seconds()
        lines = [f"{name}: {'not known' if took is None else f'{took} s'}" for name, took in seconds.items()]
        self.stage.narrator.step("The clocks", *lines, data=seconds)

    def _require_contained(self, before: Workload) -> None:
        """By this machine's own look, and not by the record alone."""
        now = self.stage.canaries.read(self.stage.target, Deadline.after(30))
        serving = ", ".join(sorted(now.reachable)) or "nothing"
        self.stage.narrator.step("Read back from Cloud Run", f"requests reach {serving}")
        self.stage.narrator.check("it is the same service", now.uid, before.uid)
        self.stage.narrator.check(
            "the revision that the finding is about gets none", sorted(before.serving & now.reachable), []
        )

    def _release(self, incident: Incident, before: Workload) -> None:
        stage = self.stage
        said = stage.say_until_heard("release", incident.id, Deadline.after(_HEARD_SECONDS))
        stage.narrator.step("Released", said.says)
        released = self._noticed()
        stage.narrator.check("the record says released", released.phase if released else "gone", "released")
        now = stage.canaries.read(stage.target, Deadline.after(30))
        differ = sorted(
            key for key in before.state.keys() | now.state.keys() if before.state.get(key) != now.state.get(key)
        )
        stage.narrator.check("every setting is as it was deployed", differ, [])

    def _take_away(self) -> None:
        """In this order: what stands is given back while it is there, and the canary goes last.

        An incident may come about in that very moment; of a finding that is INACTIVE it comes to nothing.
        """
        cleaning = Cleaning(self.stage)
        with undisturbed(), working("taking away what was made"), ExitStack() as last_first:
            self.stage.narrator.step("Taking away what was made")
            # Each has its turn, whatever becomes of the others.
            unknown = self.deployed is None and not self.refused
            last_first.callback(cleaning.delete, self.stage.target, may_come=unknown)
            last_first.callback(cleaning.settle, lambda: [self._noticed()])
            last_first.callback(cleaning.end_finding, self.stage.finding_id)
            last_first.callback(cleaning.settle, lambda: [self._noticed()])
        if not cleaning.whole:
            again = f"firebreak drill --clean --project {self.stage.target.project}"
            self.stage.narrator.step("Not all could be taken away", f"try again with: {again}")
