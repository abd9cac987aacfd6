"""An organization policy refuses a part of the way back: the rest is restored, and that part is tried again later."""

from __future__ import annotations

from sandbox.stories.s1_known_malware import BAD
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before, tell_command, tell_finding, tell_keys

TITLE = "A release that is refused in part: setting by setting, and tried again"
POLICY = """
id: pinned-and-closed
mode: enforce
when: {finding.category: "Execution: Added Malicious Binary Executed", workload.kind: service}
then: [{action: pin_previous_revision}, {action: revoke_public_access}]
examples:
  - {given: {}, expect: {mode: enforce}}
  - {given: {workload.kind: job}, expect: nothing}
"""
PUBLIC = "service_iam.roles/run.invoker||allUsers"


def tell(stage: Stage) -> None:
    """What is refused stays held, and holds up nothing else."""
    narrator, before = stage.narrator, stage.settings()
    incident = half_released(stage)
    updates = len(stage.updates())
    stage.world.admits_public_members = True
    narrator.step("The organization policy is changed")
    tell_command(stage, "incident", "release", incident, "--by", "ada")
    narrator.check("only what was refused is tried again", len(stage.updates()), updates)
    narrator.check("everybody may invoke the service again", stage.is_public())
    narrator.check("the settings are all those from before", stage.settings(), before)
    narrator.check("the record says released", stage.announced()[-1]["phase"], "released")


def half_released(stage: Stage) -> str:
    """Contained on two surfaces and released on one; the incident's id."""
    narrator = stage.narrator
    tell_before(stage)
    record = tell_finding(stage, stage.report_finding())
    narrator.require("the incident is contained", record["phase"], "contained")
    narrator.check("nobody may invoke the service unasked", stage.is_public(), wanted=False)
    stage.world.admits_public_members = False
    narrator.step("Meanwhile an organization policy forbids to make any service public")
    tell_command(stage, "incident", "release", str(record["id"]), "--by", "ada", code=1)
    told = stage.announced()[-1]
    tell_keys(stage, told)
    narrator.require("the incident is released in part", told["phase"], "releasing")
    results = {key["key"]: key["result"] for key in told["release"]["keys"]}
    narrator.check("of the policy the record says refused", results.get(PUBLIC), "refused")
    serves = [line for line in stage.traffic() if line.startswith("serves:")]
    narrator.check("the traffic is restored", any(BAD in line for line in serves))
    return str(record["id"])
