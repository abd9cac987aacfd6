"""The canaries of drills: which service a drill has deployed is looked at here, and kept under the ledger's seal."""

from __future__ import annotations

from firebreak.core.cloud_run.target import Target, parse_resource
from firebreak.core.containment.canary import LIFE_NS, Canary, why_no_canary
from firebreak.core.incidents.command import Command, CommandResult
from firebreak.ports.deadline import Deadline
from firebreak.response.app import App

_READ_SECONDS = 20.0
MOST_AT_ONCE = 3
"""Each may take a slot of the blast radius for an hour: drills leave most of them to what is real."""


def announce_canary(app: App, command: Command) -> CommandResult:
    """Note a service as a drill's canary, if it is what a drill deploys; raises Refused, or Transient."""
    drill, target = app.policies.config.drill, parse_resource(command.canary)
    if drill is None or not isinstance(target, Target):
        return CommandResult(done=False, says="firebreak.yaml names no source and no project of drills (`drill`)")
    workload, now_ns = app.read(target, Deadline.after(_READ_SECONDS)), app.now_ns()
    if why := why_no_canary(workload, command.uid, drill, now_ns):
        return CommandResult(done=False, says=f"{target.name} is not taken as the canary of a drill: {why}")
    if app.ledger.canary(workload.uid):  # what it says is the same, and lasts no longer for being said again
        return CommandResult(done=True, says=f"{target.name} was announced already")
    others = [one for one in app.ledger.canaries(MOST_AT_ONCE) if one.expires_ns > now_ns]
    if len(others) >= MOST_AT_ONCE:
        says = f"there have been {MOST_AT_ONCE} canaries within the hour: wait until one of them is an hour old"
        return CommandResult(done=False, says=says)
    canary = Canary(workload.uid, target, drill.source, command.by, workload.created_ns + LIFE_NS)
    app.ledger.keep_canary(canary)
    app.log("NOTICE", f"{target.resource} is the canary of a drill by {command.by}, for an hour")
    return CommandResult(done=True, says=f"{target.name} is the canary of a drill")
