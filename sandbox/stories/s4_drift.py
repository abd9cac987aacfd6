"""A pipeline puts LATEST back over a containment: the sweep finds it and asks, and a person closes it again."""

from __future__ import annotations

from sandbox.stories.s1_known_malware import BAD
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before, tell_finding

TITLE = "A pipeline opens what was contained: the sweep finds it, a person decides"


def tell(stage: Stage) -> None:
    """What somebody else has set is never written over unasked."""
    narrator = stage.narrator
    tell_before(stage)
    record = tell_finding(stage, stage.report_finding())
    narrator.require("the incident is contained", record["phase"], "contained")
    stage.world.set_traffic(stage.service, {"latest": True, "percent": 100})
    narrator.step("A deployment pipeline sends all traffic to LATEST again", *stage.traffic())
    code, answer = stage.firebreak("sweep", "--by", "the scheduler")
    asked = stage.announced()[-1]
    narrator.step("$ firebreak sweep", str(answer.get("says")), asked["history"][-1]["what"])
    narrator.check("the sweep says yes", code, 0)
    narrator.require("a person is asked", asked["phase"], "waiting")
    narrator.check("nothing was written over", len(stage.updates()), 1)
    digest = asked["question"]["digest"][:12]
    code, answer = stage.firebreak("incident", "approve", asked["id"], "--digest", digest, "--by", "ada")
    narrator.step(f"$ firebreak incident approve {asked['id']} --by ada", str(answer.get("says")), *stage.traffic())
    narrator.check("the command says yes", code, 0)
    narrator.check(f"{BAD} is closed again", sorted(stage.reachable().get(BAD, ())), [])
    code, _ = stage.firebreak("incident", "release", asked["id"], "--by", "ada")
    narrator.step("Released, the service is as the pipeline left it", *stage.traffic())
    narrator.check("the command says yes", code, 0)
    narrator.check("what the pipeline set stands", "percent" in stage.reachable().get(BAD, ()))
