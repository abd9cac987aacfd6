"""Somebody says no by mistake: one command has the incident decided anew, and the question is put again."""

from __future__ import annotations

from sandbox.scc.notifications import Scene
from sandbox.stories.s1_known_malware import BAD
from sandbox.stories.s2_person_asked import NEVER_SEEN
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before, tell_command, tell_finding

TITLE = "A no that was a slip: the incident is decided anew"


def tell(stage: Stage) -> None:
    """What was rejected, recorded, declined or has expired is not lost."""
    narrator = stage.narrator
    tell_before(stage)
    record = tell_finding(stage, stage.report_finding(Scene(sha256=NEVER_SEEN)))
    narrator.require("the incident waits for a person", record["phase"], "waiting")
    incident, digest = str(record["id"]), record["question"]["digest"][:12]
    tell_command(stage, "incident", "reject", incident, "--digest", digest, "--reason", "a test of ours", "--by", "ada")
    narrator.require("the incident is rejected", stage.announced()[-1]["phase"], "rejected")
    tell_command(stage, "incident", "retry", incident, "--reason", "it was no test", "--by", "ada")
    asked = stage.announced()[-1]
    narrator.require("the question is put anew", asked["phase"], "waiting")
    digest = asked["question"]["digest"][:12]
    tell_command(stage, "incident", "approve", incident, "--digest", digest, "--by", "ada")
    narrator.check("the incident is contained", stage.announced()[-1]["phase"], "contained")
    narrator.check(f"{BAD} cannot be reached", sorted(stage.reachable().get(BAD, ())), [])
