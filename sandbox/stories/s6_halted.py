"""Somebody stops everything: findings are recorded with the plan that would have run, and nothing is written."""

from __future__ import annotations

from sandbox.scc.notifications import Scene
from sandbox.stories.s1_known_malware import BAD
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before, tell_finding

TITLE = "Halted: recorded, not written, until somebody resumes"


def tell(stage: Stage) -> None:
    """One command stops every containing write; releases still work."""
    narrator = stage.narrator
    tell_before(stage)
    code, answer = stage.firebreak("halt", "--reason", "the network team is at work", "--by", "ada")
    narrator.step("$ firebreak halt --reason 'the network team is at work' --by ada", str(answer.get("says")))
    narrator.require("the command says yes", code, 0)
    record = tell_finding(stage, stage.report_finding(Scene(finding_id="halted")))
    caps = [cap["reason"] for cap in record["decision"]["caps"]]
    narrator.step("The record", f"{record['phase']}: {'; '.join(caps)}")
    narrator.check("only recorded", record["phase"], "monitored")
    narrator.check("the plan that would have run is there", bool(record["plan"]["changes"]))
    narrator.check("nothing was written", len(stage.updates()), 0)
    code, answer = stage.firebreak("resume", "--by", "ada")
    narrator.step("$ firebreak resume --by ada", str(answer.get("says")))
    narrator.check("the command says yes", code, 0)
    after = tell_finding(stage, stage.report_finding(Scene(finding_id="resumed")))
    narrator.check("the next finding is contained", after["phase"], "contained")
    narrator.check(f"{BAD} cannot be reached", sorted(stage.reachable().get(BAD, ())), [])
