"""Taking away what a drill made, whatever came of it: first what stands or is asked, last the canary."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from firebreak.cli.drill.stage import Stage
from firebreak.core.cloud_run.target import Target
from firebreak.core.errors import Missing, Refused, Transient
from firebreak.core.incidents.incident import Incident
from firebreak.core.incidents.phase import ENDED
from firebreak.core.secrets.redaction import safe
from firebreak.ports.backoff import Backoff
from firebreak.ports.deadline import Deadline

_SECONDS = 180.0
_EACH = 60.0


@dataclass(slots=True)
class Cleaning:
    """What there is to be taken away; `whole` until something could not be."""

    stage: Stage
    whole: bool = True

    def end_finding(self, finding_id: str) -> None:
        """SCC keeps findings: this one becomes INACTIVE, and nothing more follows from it."""
        self._try(f"the finding {finding_id} is INACTIVE", lambda: self._ended(finding_id))

    def _ended(self, finding_id: str) -> None:
        try:
            self.stage.findings.end(finding_id, Deadline.after(_EACH))
        except Missing:
            return  # it was never written

    def settle(self, find: Callable[[], Iterable[Incident | None]]) -> None:
        """Nothing stands of the incidents that are found, if any are, and nobody is asked about them any more."""
        try:
            found = [one for one in find() if one is not None and one.phase not in ENDED]
        except (Refused, Transient) as fault:
            self.whole = False
            self.stage.narrator.check("the ledger says what stands", safe(str(fault)), "an incident, or none")
            return
        for one in found:
            self._try(f"the incident {one.id} is over", partial(self._settled, one.id))

    def _settled(self, incident: str) -> None:
        """Release, answer and close until it has ended: an order that was given before may still be carried out."""
        deadline, says = Deadline.after(_EACH), ""
        backoff = Backoff(deadline, longest=4.0)
        while True:
            for verb in ("release", "reject", "close"):
                found = self.stage.recorded(incident)
                if found is None or found.phase in ENDED or declines_itself(found):
                    return
                digest = found.question.digest if found.question and verb != "release" else ""
                says = self.stage.say_until_heard(verb, incident, deadline, digest).says
            if not backoff.wait():
                message = f"{says}; look at it with `firebreak incident show {incident}`"
                raise Refused(message)

    def delete(self, target: Target, *, may_come: bool = False) -> None:
        """The canary goes, with its revisions. `may_come`: nobody knows whether Cloud Run was heard to make it."""
        self._try(f"the canary {target.name} is deleted", lambda: self._deleted(target, may_come=may_come))

    def _deleted(self, target: Target, *, may_come: bool) -> None:
        if not self.stage.canaries.delete(target, Deadline.after(_EACH)) and may_come:
            message = "it is not there, and may still be made: nothing tells whether Cloud Run was asked to"
            raise Transient(message)

    def _try(self, what: str, do: Callable[[], object]) -> None:
        """Do it, and tell whether it is done: what fails keeps nothing else from being taken away."""
        try:
            do()
        except (Refused, Transient) as fault:
            self.whole = False
            self.stage.narrator.check(what, safe(str(fault)), "done")
        else:
            self.stage.narrator.check(what, found=True)


def declines_itself(incident: Incident) -> bool:
    """Whether it waits for a finding that is INACTIVE, and wrote nothing: within a day it is declined."""
    waits = incident.waits is not None and incident.waits.what == "settled"
    return incident.phase == "deferred" and waits and incident.done is None and not incident.begun
