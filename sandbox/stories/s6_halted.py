"""Somebody stops everything: a finding waits, with the plan that would run, and is taken up once the halt is lifted."""

from __future__ import annotations

from sandbox.stories.s1_known_malware import BAD
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before, tell_command, tell_finding

TITLE = "Halted: a finding waits, and the sweep takes it up once somebody resumes"


def tell(stage: Stage) -> None:
    """One command stops every containing write, and what it stopped is not forgotten."""
    narrator = stage.narrator
    tell_before(stage)
    tell_command(stage, "halt", "--reason", "the network team is at work", "--by", "ada")
    record = tell_finding(stage, stage.report_finding())
    narrator.step("The record", f"{record['phase']}, waits for: {record['waits_for']}")
    narrator.require("the incident is deferred", record["phase"], "deferred")
    narrator.check("the plan that would run is there", bool(record["plan"]["changes"]))
    tell_command(stage, "sweep", "--by", "the scheduler")
    narrator.check("nothing was written", len(stage.updates()), 0)
    tell_command(stage, "resume", "--by", "ada")
    narrator.check("resuming itself writes nothing", len(stage.updates()), 0)
    tell_command(stage, "sweep", "--by", "the scheduler")
    narrator.step("After the sweep", *stage.traffic())
    narrator.check("the finding is contained", stage.announced()[-1]["phase"], "contained")
    narrator.check(f"{BAD} cannot be reached", sorted(stage.reachable().get(BAD, ())), [])
