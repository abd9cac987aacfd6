"""A message never arrives: SCC holds the finding, and the sweep answers it."""

from __future__ import annotations

from sandbox.stories.s1_known_malware import BAD
from sandbox.stories.stage import Stage
from sandbox.stories.telling import tell_before

TITLE = "A message that never arrives: the sweep answers what SCC holds"


def tell(stage: Stage) -> None:
    """Nothing that SCC knows stays unanswered for longer than from one sweep to the next."""
    narrator = stage.narrator
    tell_before(stage)
    pair = stage.report_finding()
    narrator.step("SCC makes a finding; its message is lost", pair["finding"]["category"])
    narrator.require("nobody has answered", stage.announced(), [])
    code, answer = stage.firebreak("sweep", "--by", "the scheduler")
    narrator.step("$ firebreak sweep", str(answer.get("says")), *stage.traffic())
    narrator.check("the sweep says yes", code, 0)
    narrator.require("the finding is answered", [one["phase"] for one in stage.announced()], ["contained"])
    narrator.check(f"{BAD} cannot be reached", sorted(stage.reachable().get(BAD, ())), [])
    narrator.check("the message arrives after all, and is acknowledged", stage.publish(pair), 200)
    narrator.check("nothing is done twice", len(stage.updates()), 1)
